package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type image struct{ pool, namespace, name string }

// volumes are RBD images as loop devices: rbd-fuse shows an image as a file, of which a loop device is made.
type volumes struct {
	conf string
	// Where images are files.
	files string
	// Stands in for /sys: tells which device is which image, as the kernel's rbd does.
	devices string
}

func volumesIn(dir, conf string) *volumes {
	return &volumes{conf: conf, files: filepath.Join(dir, "images"), devices: filepath.Join(dir, "sys/bus/rbd/devices")}
}

// stage mounts an image, with a new filesystem if there is none. All or nothing.
func (v *volumes) stage(ctx context.Context, id string, image image, at string) (err error) {
	if mounted(at) {
		return nil
	}
	var undos []func()
	defer func() {
		for i := len(undos) - 1; err != nil && i >= 0; i-- {
			undos[i]()
		}
	}()
	file, err := v.open(ctx, id, image)
	if err != nil {
		return err
	}
	undos = append(undos, func() { _ = v.close(context.Background(), id) })
	device, err := run(ctx, "losetup", "--find", "--show", file)
	if err != nil {
		return err
	}
	undos = append(undos, func() { _, _ = run(context.Background(), "losetup", "--detach", device) })
	// Fails when it finds nothing.
	if kind, _ := run(ctx, "blkid", "--probe", "--output", "value", "--match-tag", "TYPE", device); kind == "" {
		if _, err = run(ctx, "mkfs.ext4", "-q", device); err != nil {
			return err
		}
	}
	if err = v.announce(device, image); err != nil {
		return err
	}
	undos = append(undos, func() { _ = os.RemoveAll(v.entry(device)) })
	if err = os.MkdirAll(at, 0o750); err != nil {
		return err
	}
	_, err = run(ctx, "mount", device, at)
	return err
}

func (v *volumes) unstage(ctx context.Context, id, at string) error {
	// Fails when nothing is mounted there.
	device, _ := run(ctx, "findmnt", "--noheadings", "--output", "SOURCE", "--mountpoint", at)
	if err := unmount(ctx, at); err != nil {
		return err
	}
	if device != "" {
		if err := os.RemoveAll(v.entry(device)); err != nil {
			return err
		}
		if _, err := run(ctx, "losetup", "--detach", device); err != nil {
			return err
		}
	}
	return v.close(ctx, id)
}

// open starts the rbd-fuse of an image, which ends when its directory is unmounted.
func (v *volumes) open(ctx context.Context, id string, image image) (string, error) {
	dir := filepath.Join(v.files, id)
	file := filepath.Join(dir, image.name)
	if mounted(dir) {
		return file, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	args := []string{"-f", "-c", v.conf, "-p", image.pool, "-r", image.name}
	if image.namespace != "" {
		args = append(args, "-s", image.namespace)
	}
	command := exec.Command("rbd-fuse", append(args, dir)...)
	command.Stderr = os.Stderr
	// It outlives us.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := command.Start(); err != nil {
		return "", err
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	for {
		if info, err := os.Stat(file); err == nil && mounted(dir) && info.Size() > 0 {
			return file, nil
		}
		select {
		case err := <-ended:
			return "", fmt.Errorf("rbd-fuse of %v ended: %v", image, err)
		case <-ctx.Done():
			_ = v.close(context.Background(), id)
			return "", ctx.Err()
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (v *volumes) close(ctx context.Context, id string) error {
	return unmount(ctx, filepath.Join(v.files, id))
}

// announce writes what the kernel's rbd has in /sys about a device.
func (v *volumes) announce(device string, image image) error {
	var stat syscall.Stat_t
	if err := syscall.Stat(device, &stat); err != nil {
		return err
	}
	number := stat.Rdev
	values := map[string]string{
		"pool":         image.pool,
		"pool_ns":      image.namespace,
		"name":         image.name,
		"current_snap": "-",
		"major":        fmt.Sprint(number >> 8 & 0xfff),
		"minor":        fmt.Sprint(number&0xff | number>>12&^0xff),
	}
	entry := v.entry(device)
	if err := os.MkdirAll(entry, 0o755); err != nil {
		return err
	}
	for name, value := range values {
		if err := os.WriteFile(filepath.Join(entry, name), []byte(value+"\n"), 0o444); err != nil {
			return err
		}
	}
	return nil
}

func (v *volumes) entry(device string) string {
	return filepath.Join(v.devices, strings.TrimPrefix(filepath.Base(device), "loop"))
}

// bind makes what is mounted at one path visible at another.
func bind(ctx context.Context, from, to string, readOnly bool) error {
	if mounted(to) {
		return nil
	}
	if !mounted(from) {
		return errors.New(from + " is not staged")
	}
	if err := os.MkdirAll(to, 0o750); err != nil {
		return err
	}
	how := "bind"
	if readOnly {
		how = "bind,ro"
	}
	_, err := run(ctx, "mount", "-o", how, from, to)
	return err
}

// unmount unmounts and removes a directory, whatever of that was done before.
func unmount(ctx context.Context, dir string) error {
	if mounted(dir) {
		if _, err := run(ctx, "umount", dir); err != nil {
			return err
		}
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

func mounted(dir string) bool {
	// Unlike mountpoint it sees those whose server has died.
	return exec.Command("findmnt", "--mountpoint", dir).Run() == nil
}

func run(ctx context.Context, name string, args ...string) (string, error) {
	output, err := exec.CommandContext(ctx, name, args...).Output()
	var failed *exec.ExitError
	if errors.As(err, &failed) {
		err = fmt.Errorf("%w: %s", err, failed.Stderr)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(output)), nil
}
