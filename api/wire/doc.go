// Package wire is what travels over the v4 HTTP API: payload types, the
// envelope around them, the codes in it, file URIs, capability bits and digest
// fields. Server, client and tests share it; it knows no rule and does no work.
//
// Everyone may import wire, code outside this module too; wire imports the
// standard library only. The types in types.gen.go come from api/openapi.yaml:
// change that file, then `go generate ./api/...`.
//
//	var r wire.Reply[wire.UploadTicket]
//	if err := json.NewDecoder(body).Decode(&r); err != nil {
//		return err
//	}
//	if r.Code == wire.CodeObjectExists {
//		// ask: replace, or keep both?
//	}
package wire

//go:generate go run github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen@v2.8.2 -config ../oapi-codegen.yaml ../openapi.yaml
