// Command empty does nothing: what every Go program costs at least, and so what homing is measured against.
package main

func main() {}
