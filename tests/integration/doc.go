// Package integration holds the tests of what leaves the house: the recipes for real databases and brokers, the image and
// the manifests. It is a module of its own, so that the clients of those servers and the types of Kubernetes are
// requirements of nobody who builds with the library.
//
// What needs a server is built with the tag integration alone, and never skipped: make integration installs what is
// missing, and a test whose server cannot be started fails.
package integration
