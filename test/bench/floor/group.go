//go:build linux

package main

import (
	"bytes"
	"database/sql"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
	_ "modernc.org/sqlite" // the driver of the product
)

// waiter is an upload that is answered when its data and its row are on the disk.
type waiter struct {
	name, file string
	size, off  int64
	data       []byte
	done       chan error
}

var queue = make(chan *waiter, 4096)

func segPath() string { return filepath.Join(*dir, "blobs", "segment") }

func commit(w *waiter) error {
	w.done = make(chan error, 1)
	queue <- w
	return <-w.done
}

// group commits for all who wait.
type group struct {
	db  *sql.DB
	seg *os.File
	end int64
	ins *sql.Stmt
}

func openGroup() (*group, error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(*dir, "floor.db")+"?_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE IF NOT EXISTS files(id INTEGER PRIMARY KEY, name TEXT UNIQUE, blob TEXT, off INT, size INT)`); err != nil {
		return nil, err
	}
	g := &group{db: db}
	if g.seg, err = os.OpenFile(segPath(), os.O_CREATE|os.O_RDWR, 0o644); err != nil {
		return nil, err
	}
	if g.end, err = g.seg.Seek(0, io.SeekEnd); err != nil {
		return nil, err
	}
	g.ins, err = db.Prepare(`INSERT OR REPLACE INTO files(name,blob,off,size) VALUES(?,?,?,?)`)
	return g, err
}

func (g *group) run() {
	for w := range queue {
		all := []*waiter{w}
	more:
		for len(all) < *batch {
			select {
			case x := <-queue:
				all = append(all, x)
			default:
				break more
			}
		}
		err := g.flush(all)
		for _, w := range all {
			w.done <- err
		}
	}
}

func (g *group) flush(all []*waiter) error {
	if *kind == "seg" {
		if err := g.append(all); err != nil {
			return err
		}
	} else if err := unix.Syncfs(int(g.seg.Fd())); err != nil {
		return err
	}
	tx, err := g.db.Begin()
	if err != nil {
		return err
	}
	ins := tx.Stmt(g.ins) //nolint:sqlclosecheck // lives as long as the process
	for _, w := range all {
		if _, err := ins.Exec(w.name, w.file, w.off, w.size); err != nil {
			return errors.Join(err, tx.Rollback())
		}
	}
	return tx.Commit()
}

func (g *group) append(all []*waiter) error {
	var b bytes.Buffer
	for _, w := range all {
		w.off, w.file = g.end+int64(b.Len()), "segment"
		b.Write(w.data)
	}
	if _, err := g.seg.WriteAt(b.Bytes(), g.end); err != nil {
		return err
	}
	g.end += int64(b.Len())
	return unix.Fdatasync(int(g.seg.Fd()))
}
