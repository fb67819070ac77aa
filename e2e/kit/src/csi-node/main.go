// csi-node is the node half of a CSI driver called rbd.csi.ceph.com, for a machine whose kernel has no rbd: it serves
// kubelet at DIR/csi.sock, and registers there by a socket in kubelet's REGISTRY directory. Volumes survive its end.
package main

import (
	"context"
	"errors"
	"log"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc"
	registration "k8s.io/kubelet/pkg/apis/pluginregistration/v1"
)

const (
	driver = "rbd.csi.ceph.com"
	// The version of the specification that kubelet asks for.
	version = "1.0.0"
)

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: csi-node NODE REGISTRY DIR CEPH_CONF")
	}
	node, registry, dir, conf := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	endpoint := filepath.Join(dir, "csi.sock")

	volumes := grpc.NewServer(grpc.UnaryInterceptor(logged))
	csi.RegisterIdentityServer(volumes, &identity{})
	csi.RegisterNodeServer(volumes, &nodeServer{node: node, volumes: volumesIn(dir, conf)})
	kubelet := grpc.NewServer()
	registration.RegisterRegistrationServer(kubelet, &registrar{endpoint: endpoint})

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	ended := make(chan error, 2)
	go func() { ended <- serve(volumes, endpoint) }()
	go func() { ended <- serve(kubelet, filepath.Join(registry, "rbd.sock")) }()
	select {
	case <-ctx.Done():
		// Removes the sockets: kubelet forgets a driver whose socket is gone.
		kubelet.Stop()
		volumes.GracefulStop()
	case err := <-ended:
		log.Fatal(err)
	}
}

func serve(server *grpc.Server, socket string) error {
	if err := os.Remove(socket); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	listener, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	return server.Serve(listener)
}

func logged(ctx context.Context, request any, info *grpc.UnaryServerInfo, handle grpc.UnaryHandler) (any, error) {
	answer, err := handle(ctx, request)
	log.Printf("%s %v: %v", info.FullMethod, request, err)
	return answer, err
}

type registrar struct {
	registration.UnimplementedRegistrationServer
	endpoint string
}

func (r *registrar) GetInfo(context.Context, *registration.InfoRequest) (*registration.PluginInfo, error) {
	return &registration.PluginInfo{
		Type:              registration.CSIPlugin,
		Name:              driver,
		Endpoint:          r.endpoint,
		SupportedVersions: []string{version},
	}, nil
}

func (r *registrar) NotifyRegistrationStatus(
	_ context.Context, status *registration.RegistrationStatus,
) (*registration.RegistrationStatusResponse, error) {
	log.Printf("registered: %v %s", status.PluginRegistered, status.Error)
	return &registration.RegistrationStatusResponse{}, nil
}

type identity struct {
	csi.UnimplementedIdentityServer
}

func (*identity) GetPluginInfo(context.Context, *csi.GetPluginInfoRequest) (*csi.GetPluginInfoResponse, error) {
	return &csi.GetPluginInfoResponse{Name: driver, VendorVersion: version}, nil
}

func (*identity) GetPluginCapabilities(
	context.Context, *csi.GetPluginCapabilitiesRequest,
) (*csi.GetPluginCapabilitiesResponse, error) {
	return &csi.GetPluginCapabilitiesResponse{}, nil
}

func (*identity) Probe(context.Context, *csi.ProbeRequest) (*csi.ProbeResponse, error) {
	return &csi.ProbeResponse{}, nil
}
