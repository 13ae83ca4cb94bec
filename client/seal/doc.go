// Package seal encrypts what is uploaded, where the storage policy asks clients to:
// AES-256 in counter mode, so that every part can be encrypted alone and lengths
// and offsets stay what they are.
//
// Package client uses it; it knows api/wire and nothing else of this module.
//
//	s, err := seal.New(ticket.EncryptMetadata)
//	if err != nil {
//		return err
//	}
//	s.At(offset).XORKeyStream(p, p)
package seal
