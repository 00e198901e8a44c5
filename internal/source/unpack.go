package source

import (
	"bufio"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// packedBuffer is how much of a compressed input is read at once, in bytes.
const packedBuffer = 128 << 10

// maxWindow is how far back compressed zstd data may refer, in bytes. It is
// what the command line tool writes at most without being asked twice
// (--long), and what an input may cost in memory.
const maxWindow = 128 << 20

// unpacker returns what is compressed in r.
func unpacker(k kind, r io.Reader) (io.ReadCloser, error) {
	buffered := bufio.NewReaderSize(r, packedBuffer)
	if k == gzipped {
		return gzip.NewReader(buffered)
	}
	d, err := zstd.NewReader(buffered, zstdOptions()...)
	if err != nil {
		return nil, err
	}
	return d.IOReadCloser(), nil
}

// zstdOptions keep a decoder to its goroutine and to its memory: units are
// read in parallel already.
func zstdOptions() []zstd.DOption {
	return []zstd.DOption{
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderMaxMemory(maxWindow),
		zstd.WithDecoderMaxWindow(maxWindow),
	}
}

// inflate returns what is compressed in r, a member of a zip archive.
func inflate(r io.Reader) io.ReadCloser {
	return flate.NewReader(bufio.NewReaderSize(r, packedBuffer))
}
