package snapstore

import (
	"errors"
	"fmt"
	"io/fs"

	"vatwarehouse/swing"
)

const codeDomain = "vatwarehouse code"

// PutCode stores a program's code and returns its hash. It is durable when
// PutCode returns. Code that is stored already is read, and written anew only if
// it is damaged.
func (s *Store) PutCode(code []byte) (swing.Hash, error) {
	hash := swing.Sum(codeDomain, code)
	if err := s.putCode(hash, code); err != nil {
		return swing.Hash{}, fmt.Errorf("store code %s…: %w", hash.Short(), err)
	}
	return hash, nil
}

func (s *Store) putCode(hash swing.Hash, code []byte) error {
	if len(code) > s.o.CodeBytesMax {
		return fmt.Errorf("%w: %d bytes, limit %d", ErrTooLarge, len(code), s.o.CodeBytesMax)
	}
	s.syncing.Lock() // two calls with the same code would use one temporary name
	defer s.syncing.Unlock()
	if err := s.writable(); err != nil {
		return err
	}
	if _, err := s.readCode(hash); err == nil || !damaged(err) {
		return err
	}
	err := s.writeFile(s.in(codeDir, hash.String()), code)
	if err == nil {
		err = s.o.FS.SyncDir(s.in(codeDir))
	}
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.fail(err)
	}
	return nil
}

// Code returns the code of that hash, verified.
func (s *Store) Code(hash swing.Hash) ([]byte, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	code, err := s.readCode(hash)
	if err != nil {
		return nil, fmt.Errorf("read code %s…: %w", hash.Short(), err)
	}
	return code, nil
}

func (s *Store) readCode(hash swing.Hash) (code []byte, err error) {
	name := s.in(codeDir, hash.String())
	f, err := s.o.FS.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	code, err = readWhole(f, int64(s.o.CodeBytesMax))
	if errors.Is(err, ErrTooLarge) {
		return nil, &Fault{File: name, Object: hash, Problem: err.Error()}
	}
	if err != nil {
		return nil, err
	}
	if swing.Sum(codeDomain, code) != hash {
		return nil, &Fault{File: name, Object: hash, Problem: errDigest.Error()}
	}
	return code, nil
}

// CodeIDs returns the hashes of all programs stored, ascending. It reads none.
func (s *Store) CodeIDs() ([]swing.Hash, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	names, err := s.o.FS.List(s.in(codeDir))
	if err != nil {
		return nil, fmt.Errorf("list code: %w", err)
	}
	var ids []swing.Hash
	for _, name := range names {
		if hash, err := swing.ParseHash(name); err == nil {
			ids = append(ids, hash)
		}
	}
	return ids, nil
}
