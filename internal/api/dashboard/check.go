package dashboard

import (
	"crypto/rand"
	"net/http"
	"strings"
)

// checkPlaces is how many tokens a check is given: one for each of UDP, TCP and TURN, measured side by side.
const checkPlaces = 3

// check gives the places of a room that nobody else knows. The room's session ends when the page has left it, or as
// any session that nobody came to.
func (t *tokens) check(w http.ResponseWriter, r *http.Request) {
	if err := t.admit(w, r); err != nil {
		t.refuse(w, r, err)
		return
	}
	room := "test-" + strings.ToLower(rand.Text())
	given := make([]string, 0, checkPlaces)
	for range checkPlaces {
		token, err := t.rooms.Token(r.Context(), room)
		if err != nil {
			t.refuse(w, r, err)
			return
		}
		given = append(given, token)
	}
	answer(w, http.StatusOK, map[string][]string{"tokens": given})
}
