// Package hostile_test sends the server what nobody honest would send. Each test
// names the line of the threat model that it holds (H1 to H85): the answer is the
// defined one, nothing is stored, the server lives on and has grown by nothing.
//
// Lines that do not reach this server yet, because what they attack is not there:
// H35, H36, H39 to H41 (thumbnails, previews), H42 to H44 (archives), H45 to H51
// (WebDAV), H52 to H54 (remote download), H55 to H58 (callbacks, nodes), H60
// (OAuth), H64 to H66 (shares), H74 (mails), H76 (sign-in by a proxy), H77 and H78
// (tus, resumable uploads of the IETF), H81 (S3), H82 (WOPI), H84 (two factors).
// Held elsewhere: H9 to H13 and H85 by internal/catalog, H20 and H21 by
// internal/upload, H25 by internal/store/storetest, H59 and H61 to H63 in detail
// by internal/auth, H80 by internal/app, H83 by the linter. H29 is net/http's own
// and needs TLS, which a proxy ends.
package hostile_test
