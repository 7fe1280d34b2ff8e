package diagnosis

import "fmt"

// cameraBusy believes the client until video of it arrives.
func cameraBusy(v *View) *Finding {
	if v.Clues.CameraBusy == 0 || v.Filmed > v.Clues.CameraBusy {
		return nil
	}
	var stream string
	for _, e := range v.Endpoints {
		if e.Publisher == "" {
			stream = e.Stream
		}
	}
	return &Finding{Code: CameraBusy, Stream: stream, Evidence: []string{
		fmt.Sprintf("The client's log said %s ago: %s.", seconds(v.since(v.Clues.CameraBusy)), v.Clues.Device),
	}}
}
