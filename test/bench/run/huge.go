//go:build linux

package main

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/wharfinger/wharfinger/test/bench/load"
)

// huge measures sessions for objects that no disk at hand has room for. The server
// refuses what cannot fit, so its storage is an empty file system in memory that claims
// to be large enough; nothing is ever written there. Only root can mount it.
func (s *suite) huge(p peer, round int) error {
	dir := s.folder(fmt.Sprintf("huge%d", round), ours)
	v, err := p.start(dir)
	if err != nil {
		return err
	}
	v.stop()
	if err := raiseQuota(filepath.Join(dir, "data", "wharf.db")); err != nil {
		return err
	}
	storage := filepath.Join(dir, "data", "storage")
	if err := os.MkdirAll(storage, 0o700); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", storage, "tmpfs", 0, "size=8T"); err != nil {
		s.keep(p, load.Result{Mode: "session", Round: round, Skip: "a file system of 8 TiB could not be mounted: " + err.Error()})
		return nil
	}
	defer func() { _ = unix.Unmount(storage, unix.MNT_DETACH) }()
	if v, err = p.start(dir); err != nil {
		return err
	}
	defer v.stop()
	s.calm()
	s.keep(p, v.run("huge", round).Session(hugeSize, hugeReps))
	return nil
}

func raiseQuota(file string) error {
	db, err := sql.Open("sqlite", "file:"+file)
	if err != nil {
		return err
	}
	_, err = db.Exec(`UPDATE groups SET quota = 1125899906842624`)
	return errors.Join(err, db.Close())
}
