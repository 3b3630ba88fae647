package bench

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// surfaceFormat is what a file of points begins by saying that it is.
const surfaceFormat = "swingsim surface 2"

// SurfaceHeader is the first line of a file of points.
type SurfaceHeader struct {
	Format  string  `json:"format"`
	Machine Machine `json:"machine"`
	Rounds  int     `json:"rounds"` // how often each point is measured
}

// SurfaceFile is a file of measured points: lines of JSON, a header and then a point
// each. A line that was not written to its end is as if it were not there.
type SurfaceFile struct {
	SurfaceHeader
	Done []Measured
	file *os.File
}

// ReadSurface decodes the lines of a file of points. The length is that of the whole
// lines.
func ReadSurface(b []byte) (s *SurfaceFile, length int, err error) {
	s = &SurfaceFile{}
	length = bytes.LastIndexByte(b, '\n') + 1
	n := 0
	for line := range bytes.Lines(b[:length]) {
		if n++; n == 1 {
			err = json.Unmarshal(line, &s.SurfaceHeader)
			if err == nil && s.Format != surfaceFormat {
				err = fmt.Errorf("its format is %q, not %q", s.Format, surfaceFormat)
			}
		} else {
			var m Measured
			err = json.Unmarshal(line, &m)
			s.Done = append(s.Done, m)
		}
		if err != nil {
			return nil, 0, fmt.Errorf("no file of points: line %d: %w", n, err)
		}
	}
	if n == 0 {
		return nil, 0, errors.New("no file of points: it has no line")
	}
	return s, length, nil
}

// OpenSurface opens a file of points to go on with it, or makes one. A file of another
// machine, or of points measured more or less often, is refused.
func OpenSurface(path string, m Machine, rounds int) (*SurfaceFile, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && neverBegun(b) {
		return newSurface(path, SurfaceHeader{surfaceFormat, m, rounds})
	}
	if err != nil {
		return nil, err
	}
	s, length, err := ReadSurface(b)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s: %w", path, err)
	case !s.Machine.Same(m):
		return nil, fmt.Errorf("%s is of another machine: take another file", path)
	case s.Rounds != rounds:
		return nil, fmt.Errorf("%s is of points measured %d times, not %d: take another file",
			path, s.Rounds, rounds)
	}
	if s.file, err = os.OpenFile(path, os.O_WRONLY, 0); err != nil {
		return nil, err
	}
	if err := s.file.Truncate(int64(length)); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	if _, err := s.file.Seek(int64(length), 0); err != nil {
		return nil, errors.Join(err, s.file.Close())
	}
	return s, nil
}

// neverBegun reports whether a file has no more than a part of the header.
func neverBegun(b []byte) bool {
	begin := []byte(`{"format":"` + surfaceFormat)
	part := bytes.HasPrefix(b, begin) || bytes.HasPrefix(begin, b)
	return part && bytes.IndexByte(b, '\n') < 0
}

func newSurface(path string, h SurfaceHeader) (*SurfaceFile, error) {
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	s := &SurfaceFile{SurfaceHeader: h, file: file}
	if err := s.line(h); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

// line writes one line, and makes it durable.
func (s *SurfaceFile) line(v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if _, err := s.file.Write(append(b, '\n')); err != nil {
		return err
	}
	return s.file.Sync()
}

// Has reports whether a point is in the file, and returns what was measured.
func (s *SurfaceFile) Has(p Point) (Measured, bool) {
	i := slices.IndexFunc(s.Done, func(m Measured) bool { return m.Point == p })
	if i < 0 {
		return Measured{}, false
	}
	return s.Done[i], true
}

// Missing returns those of the points that are not in the file.
func (s *SurfaceFile) Missing(points []Point) (missing []Point) {
	for _, p := range points {
		if _, ok := s.Has(p); !ok {
			missing = append(missing, p)
		}
	}
	return missing
}

// Append adds a point.
func (s *SurfaceFile) Append(m Measured) error {
	s.Done = append(s.Done, m)
	return s.line(m)
}

// Close closes the file.
func (s *SurfaceFile) Close() error { return s.file.Close() }
