//go:build linux

package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// base is a peer that the others are compared with.
type base struct{ key, peer string }

type table struct {
	mode, title, note string
	keys              []string
	bases             []base
}

const gateway = "versitygw"

var listOrders = []string{"name", "size", "updated_at", "created_at"}

var tables = []table{
	{
		"big", "Big upload: 4 files of 128 MiB at once",
		"Whoever does not flush before the answer pays for it until sync(2) returns: “until on disk” is the column that compares. Plain HTTP/1.1.",
		[]string{"mib_s", "durable_mib_s", "cpu_s_gib", "rss_mib"},
		[]base{{"durable_mib_s", "raw-splice-fsync"}, {"durable_mib_s", "nginx"}, {"durable_mib_s", gateway}, {"cpu_s_gib", "floor:splice-fsync"}, {"cpu_s_gib", "nginx"}, {"cpu_s_gib", gateway}},
	},
	{
		"tls", "The same under TLS 1.3",
		"The kernel cannot move what is encrypted: every byte passes through the process.",
		[]string{"mib_s", "durable_mib_s", "cpu_s_gib", "rss_mib"},
		[]base{{"durable_mib_s", "nginx"}, {"cpu_s_gib", "nginx"}},
	},
	{
		"small1", "Files of 4 KiB, 1 connection",
		"Each by two requests, create and chunk, where nginx and versitygw have one. Flushed before the answer: ours and the floors; not nginx, not versitygw.",
		[]string{"per_s", "p50_ms", "p99_ms", "cpu_ms"},
		smallBases,
	},
	{
		"small16", "Files of 4 KiB, 16 connections", "As above.",
		[]string{"per_s", "p50_ms", "p99_ms", "cpu_ms"},
		smallBases,
	},
	{
		"batch", "Files of 4 KiB through the batch door, 1 connection", "A thousand in a request, one request after the other. No peer has such a door.",
		[]string{"per_s", "cpu_ms"},
		nil,
	},
	{
		"hold", "1,000 slow uploads held (64 KiB/s each)", "Each server in a process of its own.",
		[]string{"held", "rss_before_mib", "rss_mib", "anon_mib", "cpu_s_gib"},
		[]base{{"rss_mib", "floor:splice"}, {"rss_mib", "nginx"}, {"rss_mib", gateway}},
	},
	{
		"range", "Random ranges of 64 KiB, 4 connections", "Of a file in the page cache.",
		[]string{"per_s", "p50_ms", "p99_ms", "cpu_ms"},
		[]base{{"per_s", "nginx"}, {"per_s", "floor:splice"}, {"per_s", gateway}, {"cpu_ms", "nginx"}},
	},
	{
		"get", "One whole GET", "Of a file in the page cache.",
		[]string{"mib_s", "cpu_s_gib"},
		[]base{{"mib_s", "nginx"}, {"mib_s", "floor:splice"}, {"mib_s", gateway}, {"cpu_s_gib", "nginx"}},
	},
	{
		"session", "Upload sessions for an object of 5 TB",
		"In a bucket of versitygw, the time of which is in the time to the answer; with the first hundred addresses of parts, the others by pages on demand. Made and deleted one after the other; memory is the highest of the process meanwhile, that serves the listings below too.",
		[]string{"p50_ms", "p99_ms", "cpu_ms", "rss_before_mib", "rss_mib"},
		nil,
	},
	{
		"session, all addresses", "The same with the addresses of all parts", "As clients have it that know no pages.",
		[]string{"p50_ms", "p99_ms", "cpu_ms", "rss_before_mib", "rss_mib"},
		nil,
	},
	{
		"start", "Idle", "From exec to the first answer, on the folder that an earlier start left; memory two seconds later, nobody there.",
		[]string{"start_ms", "rss_mib", "anon_mib"},
		[]base{{"rss_mib", "nginx"}, {"rss_mib", gateway}},
	},
	{
		"start, empty folder", "First start, on an empty folder", "Ours makes its database and the first administrator.",
		[]string{"start_ms", "rss_mib"},
		nil,
	},
	{"start, a million files", "Start with the folders of the listings in the database", "", []string{"start_ms", "rss_mib"}, nil},
}

var smallBases = []base{{"per_s", "floor:seg"}, {"per_s", "floor:group"}, {"per_s", "floor:splice-fsync"}, {"per_s", "nginx"}, {"per_s", gateway}, {"cpu_ms", "floor:seg"}}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func row(cells ...string) string { return "| " + strings.Join(cells, " | ") + " |\n" }

func ruler(n int) string { return "|" + strings.Repeat("---|", n) + "\n" }

// tables is the generated part of the page.
func (r *report) tables() string {
	var b strings.Builder
	r.preface(&b)
	for _, t := range tables {
		fmt.Fprintf(&b, "### %s\n\n%s\n\n", t.title, t.note)
		if reason, ok := r.Skipped[t.mode]; ok {
			fmt.Fprintf(&b, "Not measured: %s.\n\n", reason)
			continue
		}
		r.table(&b, t)
	}
	r.listTable(&b)
	r.folderTable(&b)
	return b.String()
}

func (r *report) preface(b *strings.Builder) {
	fmt.Fprintf(b, "Machine: %s. Commit %s, %s.\n\n", r.Machine, r.Versions["wharf"], r.Machine.When)
	var v []string
	for _, name := range sortedKeys(r.Versions) {
		v = append(v, name+" "+r.Versions[name])
	}
	fmt.Fprintf(b, "Versions: %s.\n\n", strings.Join(v, "; "))
	fmt.Fprintf(b, "%d rounds in %.0f minutes, the order rotated in each (%d in “held” and “idle”). Every figure: median (least..most). ", r.Rounds, r.Minutes, r.o.holdRounds)
	b.WriteString("“ours / x” is the median of the ratios within each round. “Others” is the number of cores that other processes used meanwhile: the noise.\n")
	fmt.Fprintf(b, "Read back and compared before counting: every measurement but those of raw-*, which gives nothing back. Failed and not counted: %d.\n\n", r.Failed)
	b.WriteString(r.notMeasured())
}

func (r *report) notMeasured() string {
	return "Not measured, because it is not there: uploads with digests off (CRC-64 is always on).\n\n"
}

func (r *report) table(b *strings.Builder, t table) {
	head := []string{"server"}
	for _, k := range t.keys {
		head = append(head, figureOf(k).head)
	}
	b.WriteString(row(append(head, "others")...) + ruler(len(head)+1))
	for _, p := range peers(r.o) {
		if p.tls {
			continue // it has the name of one that came before
		}
		if len(r.m[t.mode][p.name]) == 0 {
			continue
		}
		cells := []string{p.name}
		if p.name == ours {
			cells[0] = "**wharf**"
		}
		for _, k := range t.keys {
			cells = append(cells, r.m.stat(t.mode, p.name, figureOf(k)).String())
		}
		b.WriteString(row(append(cells, show(r.m.noise(t.mode, p.name).Median))...))
	}
	b.WriteString("\n")
	if len(t.bases) == 0 {
		return
	}
	head, cells := []string{"ours /"}, map[string][]string{}
	var keys []string
	for _, x := range t.bases {
		if !slices.Contains(head, x.peer) {
			head = append(head, x.peer)
		}
		if !slices.Contains(keys, x.key) {
			keys = append(keys, x.key)
		}
	}
	b.WriteString(row(head...) + ruler(len(head)))
	for _, k := range keys {
		f := figureOf(k)
		cells[k] = []string{f.head + map[bool]string{true: " (less is better)"}[f.less]}
		for _, peer := range head[1:] {
			cell := ""
			if slices.Contains(t.bases, base{k, peer}) {
				cell = r.m.ratio(f, t.mode, ours, t.mode, peer).String()
			}
			cells[k] = append(cells[k], cell)
		}
		b.WriteString(row(cells[k]...))
	}
	b.WriteString("\n")
}

func (r *report) listTable(b *strings.Builder) {
	b.WriteString("### Listing: pages of 100, p50 ms\n\nDeep is at nine tenths of the folder, reached by its own tokens. The rows were cloned straight into the database from one real upload in each folder.\n\n")
	head := []string{"order", "page"}
	for _, n := range r.o.folders {
		head = append(head, fmt.Sprintf("%d files", n))
	}
	small, large := r.o.folders[0], r.o.folders[len(r.o.folders)-1]
	head = append(head, fmt.Sprintf("%d / %d", large, small), "others")
	b.WriteString(row(head...) + ruler(len(head)))
	for _, order := range listOrders {
		for _, depth := range []string{"first", "deep"} {
			cells := []string{order, depth}
			mode := ""
			for _, n := range r.o.folders {
				mode = fmt.Sprintf("list/%d/%s/%s", n, order, depth)
				cells = append(cells, r.m.stat(mode, ours, figureOf("p50_ms")).String())
			}
			name := fmt.Sprintf("list %s %s: %d / %d", order, depth, large, small)
			b.WriteString(row(append(cells, r.Ratios[name].String(), show(r.m.noise(mode, ours).Median))...))
		}
	}
}

func (r *report) folderTable(b *strings.Builder) {
	fmt.Fprintf(b, "\n### Changes of large folders, p50 ms\n\nA file in the folder is given another name and its own again; the folder is moved into another and back. The tree is the largest number of files, %d in a folder. Flushed before the answer.\n\n", treeWidth)
	head, names := []string{"change"}, []string{}
	for _, n := range r.o.folders {
		head, names = append(head, fmt.Sprintf("%d files", n)), append(names, fmt.Sprint(n))
	}
	head, names = append(head, "tree", "others"), append(names, "tree")
	b.WriteString(row(head...) + ruler(len(head)))
	for _, kind := range []string{"rename", "move"} {
		cells := []string{kind}
		mode := ""
		for _, n := range names {
			mode = kind + "/" + n
			cells = append(cells, r.m.stat(mode, ours, figureOf("p50_ms")).String())
		}
		b.WriteString(row(append(cells, show(r.m.noise(mode, ours).Median))...))
	}
	fmt.Fprintf(b, "\n### Removing a folder of %d files\n\nThe slowest other is who makes folders on a connection of its own meanwhile.\n\n", removed)
	keys := []string{"p50_ms", "done_ms", "wait_ms", "rss_mib"}
	head = []string{"to"}
	for _, k := range keys {
		head = append(head, figureOf(k).head)
	}
	head[1] = "ms to the answer"
	b.WriteString(row(append(head, "others")...) + ruler(len(head)+1))
	for _, way := range []struct{ mode, name string }{{"trash", "the trash"}, {"gone", "nothing, for good"}} {
		cells := []string{way.name}
		for _, k := range keys {
			cells = append(cells, r.m.stat(way.mode, ours, figureOf(k)).String())
		}
		b.WriteString(row(append(cells, show(r.m.noise(way.mode, ours).Median))...))
	}
}
