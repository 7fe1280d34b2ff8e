package reach

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"strconv"
	"time"
)

// Timed makes the credential that a TURN server with a shared secret accepts until a time (coturn's use-auth-secret;
// draft-uberti-behave-turn-rest-00): the user is "<unix expiry>:<name>".
func Timed(secret, name string, until time.Time) (username, credential string) {
	username = strconv.FormatInt(until.Unix(), 10) + ":" + name
	mac := hmac.New(sha1.New, []byte(secret))
	mac.Write([]byte(username))
	return username, base64.StdEncoding.EncodeToString(mac.Sum(nil))
}
