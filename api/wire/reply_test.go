package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/wharfinger/wharfinger/api/wire"
)

func TestReplyIsWrittenInTheOrderAndWithTheKeysOfTheProtocol(t *testing.T) {
	t.Parallel()
	lock := wire.LockInfo{
		Path: "cloudreve://my/reports/q3.pdf", Token: "3d0f2f1c-9a55-4d0c-8c0e-0d6b6c0a1b2c",
		Owner: wire.LockOwner{Application: wire.LockApplication{Type: "upload"}},
	}
	batch := wire.Refuse(wire.CodeBatchPartlyFailed, "Path not exist", nil)
	batch.CorrelationID = "5a1d8c0e-1111-4222-8333-944455556666"
	item := wire.Refuse(wire.CodePathNotFound, "Path not exist", nil)
	item.CorrelationID = batch.CorrelationID
	batch.AggregatedError = map[string]wire.Failure{"cloudreve://my/a": item}
	cases := []struct {
		name  string
		reply any
		want  string
	}{
		{"nothing to return", wire.Done(), `{"code":0,"msg":""}`},
		{"data", wire.OK(wire.Capacity{Total: 1073741824, Used: 4096}), `{"code":0,"data":{"reserved":0,"total":1073741824,"used":4096},"msg":""}`},
		{"data of zero values", wire.OK(wire.SiteApp{}), `{"code":0,"data":{},"msg":""}`},
		{"an empty string", wire.OK(""), `{"code":0,"data":"","msg":""}`},
		{
			"failure",
			wire.Failure{Code: wire.CodePathNotFound, Msg: "Path not exist", CorrelationID: "5a1d8c0e-1111-4222-8333-944455556666"},
			`{"code":40016,"msg":"Path not exist","correlation_id":"5a1d8c0e-1111-4222-8333-944455556666"}`,
		},
		{
			"locks", wire.Refuse(wire.CodeLockConflict, "Lock conflict", []wire.LockInfo{lock}),
			`{"code":40073,"data":[{"owner":{"application":{"type":"upload"}},"path":"cloudreve://my/reports/q3.pdf","token":"3d0f2f1c-9a55-4d0c-8c0e-0d6b6c0a1b2c","type":0}],"msg":"Lock conflict"}`,
		},
		{"lost lock", wire.Refuse(wire.CodeLockConflict, "Lock expired", []wire.LockInfo{}), `{"code":40073,"data":[],"msg":"Lock expired"}`},
		{"batch", batch, `{"code":40081,"aggregated_error":{"cloudreve://my/a":{"code":40016,"msg":"Path not exist","correlation_id":"5a1d8c0e-1111-4222-8333-944455556666"}},"msg":"Path not exist","correlation_id":"5a1d8c0e-1111-4222-8333-944455556666"}`},
		{"HTML", wire.OK(wire.FileURL{URL: "http://h/?a=1&b=<c>"}), `{"code":0,"data":{"url":"http://h/?a=1\u0026b=\u003cc\u003e"},"msg":""}`},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got, err := json.Marshal(c.reply)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, string(got)); d != "" {
				t.Error(d)
			}
		})
	}
}

func TestReplyReadsDataOnSuccessOnly(t *testing.T) {
	t.Parallel()
	var ok wire.Reply[wire.Capacity]
	if err := json.Unmarshal([]byte(`{"code":0,"data":{"total":2,"used":1},"msg":""}`), &ok); err != nil || ok.Data == nil || ok.Data.Total != 2 {
		t.Errorf("%+v, %v", ok, err)
	}
	for name, body := range map[string]string{
		"no data": `{"code":0,"msg":""}`, "null": `{"code":0,"data":null,"msg":""}`, "failure": `{"code":40016,"msg":"Path not exist"}`,
	} {
		var r wire.Reply[wire.Capacity]
		if err := json.Unmarshal([]byte(body), &r); err != nil || r.Data != nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	var locked wire.Reply[wire.UploadTicket]
	if err := json.Unmarshal([]byte(`{"code":40073,"data":[{"token":"t","owner":{"application":{"type":"upload"}},"type":0}],"msg":"Lock conflict","correlation_id":"c"}`), &locked); err != nil {
		t.Fatal(err)
	}
	if l := locked.Locks(); locked.Data != nil || len(l) != 1 || l[0].Token != "t" || l[0].Owner.Application.Type != "upload" || locked.CorrelationID != "c" {
		t.Errorf("%+v", locked)
	}
	var batch wire.Reply[wire.None]
	if err := json.Unmarshal([]byte(`{"code":40081,"aggregated_error":{"u":{"code":40016,"msg":"m"}},"msg":"m"}`), &batch); err != nil || batch.AggregatedError["u"].Code != wire.CodePathNotFound {
		t.Errorf("%+v, %v", batch, err)
	}
	var bad wire.Reply[wire.Capacity]
	if err := json.Unmarshal([]byte(`{"code":0,"data":[],"msg":""}`), &bad); err == nil {
		t.Error("a list was read as a capacity")
	}
}

func TestPayloadsLeaveOutWhatTheProtocolLeavesOut(t *testing.T) {
	t.Parallel()
	text, err := json.Marshal(wire.UploadTicket{StoragePolicy: wire.StoragePolicy{Type: "local"}})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"callback_secret":"","chunk_size":0,"expires":0,"session_id":"","storage_policy":{"id":"","max_size":0,"name":"","type":"local"},"upload_id":"","uri":""}`
	if d := cmp.Diff(want, string(text)); d != "" {
		t.Error(d)
	}
	text, err = json.Marshal(wire.UploadProgress{Received: [][2]int64{{0, 5}}})
	if err != nil {
		t.Fatal(err)
	}
	want = `{"chunk_size":0,"created_at":"0001-01-01T00:00:00Z","expires":0,"last_modified":0,"received":[[0,5]],"received_bytes":0,"session_id":"","size":0,"state":"","storage_policy":{"id":"","max_size":0,"name":"","type":""},"updated_at":"0001-01-01T00:00:00Z","uri":""}`
	if d := cmp.Diff(want, string(text)); d != "" {
		t.Error(d)
	}
}
