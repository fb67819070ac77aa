//go:build tools

// Package tools pins the program that install.sh builds from this module.
package tools

import _ "github.com/versity/versitygw/cmd/versitygw"
