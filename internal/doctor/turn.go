package doctor

import (
	"context"
)

// TURNServer is one to probe: with a username and its credential, or with the secret that credentials are made from.
type TURNServer struct{ URL, Username, Credential, Secret string }

func checkTURN(context.Context, *host) Check { return unchecked("being built") }
