//go:build ignore

// gen writes openapi.gen.json from openapi.yaml, keys in the same order, so
// that the server needs no YAML parser.
package main

import (
	"bytes"
	"encoding/json"
	"log"
	"os"

	"go.yaml.in/yaml/v3"
)

func main() {
	src, err := os.ReadFile("openapi.yaml")
	if err != nil {
		log.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(src, &doc); err != nil {
		log.Fatal(err)
	}
	var flat, out bytes.Buffer
	if err := write(&flat, &doc); err != nil {
		log.Fatal(err)
	}
	if err := json.Indent(&out, flat.Bytes(), "", " "); err != nil {
		log.Fatal(err)
	}
	out.WriteByte('\n')
	if err := os.WriteFile("openapi.gen.json", out.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
}

func write(b *bytes.Buffer, n *yaml.Node) error {
	switch n.Kind {
	case yaml.DocumentNode:
		return write(b, n.Content[0])
	case yaml.MappingNode:
		return writeAll(b, n.Content, '{', '}')
	case yaml.SequenceNode:
		return writeAll(b, n.Content, '[', ']')
	default:
		var v any
		if err := n.Decode(&v); err != nil {
			return err
		}
		text, err := json.Marshal(v)
		b.Write(text)
		return err
	}
}

// writeAll writes the values of a list, or the keys and values of a map.
func writeAll(b *bytes.Buffer, nodes []*yaml.Node, begin, end byte) error {
	b.WriteByte(begin)
	for i, n := range nodes {
		isKey := begin == '{' && i%2 == 0
		switch {
		case i == 0:
		case begin == '{' && !isKey:
			b.WriteByte(':')
		default:
			b.WriteByte(',')
		}
		if isKey {
			text, err := json.Marshal(n.Value)
			if err != nil {
				return err
			}
			b.Write(text)
			continue
		}
		if err := write(b, n); err != nil {
			return err
		}
	}
	b.WriteByte(end)
	return nil
}
