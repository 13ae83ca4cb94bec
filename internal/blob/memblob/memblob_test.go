package memblob_test

import (
	"testing"

	"github.com/wharfinger/wharfinger/internal/blob/blobtest"
	"github.com/wharfinger/wharfinger/internal/blob/memblob"
)

func TestConformance(t *testing.T) {
	blobtest.Run(t, func(*testing.T) blobtest.Subject {
		return blobtest.Subject{Driver: memblob.Open()}
	})
}
