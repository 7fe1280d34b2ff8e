package sdp

// Repair is one thing that was mended in a description before it was read.
type Repair struct {
	Line int    // of the text as it came, from 1
	What string // one of the words below
}
