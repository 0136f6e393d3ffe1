package emulator

import "net/http"

const controlPath = "/_emulator"

func (s *Server) serveControl(w http.ResponseWriter, r *http.Request, body []byte) {
	http.NotFound(w, r)
}
