package rest

import "github.com/wharfinger/wharfinger/internal/door/desk"

// Routes returns this door's lines of the table.
func (d *Door) Routes() []desk.Route {
	return []desk.Route{
		desk.Anyone.Sends("createUploadSession", "PUT /file/upload", d.createUploadSession),
		desk.Anyone.Sends("deleteUploadSession", "DELETE /file/upload", d.deleteUploadSession),
		desk.Member.Asks("listUploads", "GET /file/upload", d.listUploads),
		desk.Member.Asks("showUpload", "GET /file/upload/{sessionId}", d.showUpload),
		desk.Member.Asks("showUploadTimeline", "GET /file/upload/{sessionId}/timeline", d.showUploadTimeline),
		desk.Anyone.Streams("sendChunk", "POST /file/upload/{sessionId}/{index}", d.sendChunk),

		desk.Anyone.Asks("listFiles", "GET /file", d.listFiles),
		desk.Anyone.Asks("fileInfo", "GET /file/info", d.fileInfo),
		desk.Anyone.Sends("createFile", "POST /file/create", d.createFile),
		desk.Anyone.Sends("renameFile", "POST /file/rename", d.renameFile),
		desk.Member.Sends("deleteLocks", "DELETE /file/lock", d.deleteLocks),
		desk.Member.Sends("setCurrentVersion", "POST /file/version/current", d.setCurrentVersion),
		desk.Member.Sends("deleteVersion", "DELETE /file/version", d.deleteVersion),
		desk.Member.Sends("patchView", "PATCH /file/view", d.patchView),
		desk.Anyone.Streams("putBatch", "POST /file/batch", d.putBatch),
		desk.Anyone.Streams("putContent", "PUT /file/content", d.putContent),
		desk.Anyone.Sends("createFileURL", "POST /file/url", d.createFileURL),
		desk.Anyone.Asks("getContent", "GET /file/content/{entity}/{speed}/{name}", d.getContent),
		desk.Anyone.Asks("headContent", "HEAD /file/content/{entity}/{speed}/{name}", d.getContent),
		desk.Anyone.Asks("optionsContent", "OPTIONS /file/content/{entity}/{speed}/{name}", d.optionsContent),

		desk.Member.Asks("getCapacity", "GET /user/capacity", d.getCapacity),

		desk.Anyone.Asks("ping", "GET /site/ping", d.ping),
		desk.Anyone.Asks("getSiteConfig", "GET /site/config/{section}", d.getSiteConfig),
		desk.Anyone.Asks("getOpenAPI", "GET /openapi.json", d.getOpenAPI),
	}
}
