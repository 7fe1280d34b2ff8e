package turn

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// maxFrame is the largest STUN message or ChannelData we read from a client: a packet of any MTU we meet, and the
// attributes around it.
const maxFrame = 4096

const (
	stunHeader    = 20
	channelHeader = 4
	// Channel numbers (RFC 8656 §12); anything above the last is reserved.
	firstChannel, lastChannel = 0x4000, 0x4FFF
)

var errFrame = errors.New("neither a STUN message nor ChannelData")

// frames cuts a stream into STUN messages and ChannelData (RFC 8656 §12.5).
type frames struct {
	in   *bufio.Reader
	last int // bytes of the frame handed out, still to be discarded
}

func newFrames(stream io.Reader) *frames { return &frames{in: bufio.NewReaderSize(stream, maxFrame)} }

// next returns the next frame, without the padding of ChannelData; it is valid until the following call.
func (f *frames) next() ([]byte, error) {
	_, _ = f.in.Discard(f.last) // all of it is in the buffer
	f.last = 0
	head, err := f.in.Peek(channelHeader)
	if err != nil {
		if len(head) > 0 && errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	size, padded, err := frameSize(head)
	if err != nil {
		return nil, err
	}
	frame, err := f.in.Peek(padded)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, err
	}
	f.last = padded
	return frame[:size], nil
}

// frameSize reads a frame's size from its first four bytes, as it is and as it takes up the stream.
func frameSize(head []byte) (size, padded int, err error) {
	first, length := binary.BigEndian.Uint16(head), int(binary.BigEndian.Uint16(head[2:]))
	switch {
	case first < 0x4000 && length%4 == 0:
		size = stunHeader + length
	case isChannel(first):
		size = channelHeader + length
	default:
		return 0, 0, fmt.Errorf("%w: %x", errFrame, head[:channelHeader])
	}
	if padded = (size + 3) &^ 3; padded > maxFrame {
		return 0, 0, fmt.Errorf("a frame of %d bytes; the limit is %d", padded, maxFrame)
	}
	return size, padded, nil
}

func isChannel(n uint16) bool { return firstChannel <= n && n <= lastChannel }
