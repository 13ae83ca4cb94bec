package rest

import (
	"net/http"
)

// Prefix is under which every route of this door lies.
const Prefix = "/api/v4"

// Who may call a route.
type who uint8

const (
	anyone who = iota // signed in or not
	member            // signed in
)

// Body limits, in bytes.
const (
	noBody   int64 = 0
	jsonBody int64 = 1 << 20
	rawBody  int64 = -1 // streamed; the handler bounds it by what it expects
)

// Route is one line of the table of routes. Operation is its operationId in
// api/openapi.yaml.
type Route struct {
	Operation string
	Method    string
	Path      string // below Prefix
	who       who
	limit     int64
	handle    func(*Door, *request) error
}

// Routes returns the table: nothing is served that is not in it.
func Routes() []Route {
	return []Route{
		{"createUploadSession", "PUT", "/file/upload", anyone, jsonBody, (*Door).createUploadSession},
		{"deleteUploadSession", "DELETE", "/file/upload", anyone, jsonBody, (*Door).deleteUploadSession},
		{"listUploads", "GET", "/file/upload", member, noBody, (*Door).listUploads},
		{"showUpload", "GET", "/file/upload/{sessionId}", member, noBody, (*Door).showUpload},
		{"showUploadTimeline", "GET", "/file/upload/{sessionId}/timeline", member, noBody, (*Door).showUploadTimeline},
		{"sendChunk", "POST", "/file/upload/{sessionId}/{index}", anyone, rawBody, (*Door).sendChunk},

		{"listFiles", "GET", "/file", anyone, noBody, (*Door).listFiles},
		{"fileInfo", "GET", "/file/info", anyone, noBody, (*Door).fileInfo},
		{"createFile", "POST", "/file/create", anyone, jsonBody, (*Door).createFile},
		{"renameFile", "POST", "/file/rename", anyone, jsonBody, (*Door).renameFile},
		{"deleteFiles", "DELETE", "/file", anyone, jsonBody, (*Door).deleteFiles},
		{"deleteLocks", "DELETE", "/file/lock", member, jsonBody, (*Door).deleteLocks},
		{"patchView", "PATCH", "/file/view", member, jsonBody, (*Door).patchView},
		{"putBatch", "POST", "/file/batch", anyone, rawBody, (*Door).putBatch},
		{"putContent", "PUT", "/file/content", anyone, rawBody, (*Door).putContent},
		{"createFileURL", "POST", "/file/url", anyone, jsonBody, (*Door).createFileURL},
		{"getContent", "GET", "/file/content/{entity}/{speed}/{name}", anyone, noBody, (*Door).getContent},
		{"headContent", "HEAD", "/file/content/{entity}/{speed}/{name}", anyone, noBody, (*Door).getContent},
		{"optionsContent", "OPTIONS", "/file/content/{entity}/{speed}/{name}", anyone, noBody, (*Door).optionsContent},

		{"prepareLogin", "GET", "/session/prepare", anyone, noBody, (*Door).prepareLogin},
		{"createToken", "POST", "/session/token", anyone, jsonBody, (*Door).createToken},
		{"refreshToken", "POST", "/session/token/refresh", anyone, jsonBody, (*Door).refreshToken},
		{"deleteToken", "DELETE", "/session/token", anyone, jsonBody, (*Door).deleteToken},

		{"getMe", "GET", "/user/me", member, noBody, (*Door).getMe},
		{"getUserInfo", "GET", "/user/info/{id}", anyone, noBody, (*Door).getUserInfo},
		{"getAvatar", "GET", "/user/avatar/{id}", anyone, noBody, (*Door).getAvatar},
		{"getCapacity", "GET", "/user/capacity", member, noBody, (*Door).getCapacity},
		{"getUserSetting", "GET", "/user/setting", member, noBody, (*Door).getUserSetting},

		{"ping", "GET", "/site/ping", anyone, noBody, (*Door).ping},
		{"getSiteConfig", "GET", "/site/config/{section}", anyone, noBody, (*Door).getSiteConfig},
		{"setUpSite", "POST", "/site/setup", anyone, jsonBody, (*Door).setUpSite},
		{"getOpenAPI", "GET", "/openapi.json", anyone, noBody, (*Door).getOpenAPI},
	}
}

func (d *Door) route(r Route) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) { d.serve(r, w, q) }
}

func (d *Door) mount() {
	for _, r := range Routes() {
		d.mux.HandleFunc(r.Method+" "+Prefix+r.Path, d.route(r))
	}
	d.mux.HandleFunc(Prefix+"/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "404 page not found", http.StatusNotFound)
	})
	d.mux.HandleFunc("GET "+Prefix+"/docs", static("text/html; charset=utf-8", docsPage))
	d.mux.HandleFunc("GET "+Prefix+"/docs.js", static("text/javascript; charset=utf-8", docsScript))
}
