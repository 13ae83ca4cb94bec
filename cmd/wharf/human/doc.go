// Package human has what the commands share in what people write and read: sizes,
// secrets from files, and how a failure is told.
//
//	fmt.Println(human.ShowSize(n), human.Message(err))
package human
