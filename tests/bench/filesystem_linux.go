package main

import (
	"errors"
	"fmt"
	"syscall"
)

// fileSystems names what statfs(2) numbers.
var fileSystems = map[int64]string{
	0xEF53: "ext4", 0x58465342: "XFS", 0x9123683E: "Btrfs", 0x794C7630: "overlayfs", 0x2FC12FC1: "ZFS", 0x6969: "NFS",
	0x01021994: "tmpfs", 0x858458F6: "ramfs",
}

// fileSystem names the one that a folder is on. One in memory is an error: what a sync costs there says nothing.
func fileSystem(folder string) (string, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return "", err
	}
	name, known := fileSystems[int64(s.Type)]
	if !known {
		name = fmt.Sprintf("type 0x%X", s.Type)
	}
	if name == "tmpfs" || name == "ramfs" {
		return "", errors.New(folder + " is in memory: set TMPDIR to a folder on a disk")
	}
	return name, nil
}
