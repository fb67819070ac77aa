package main

import (
	"context"
	"path/filepath"
	"sync"

	"github.com/container-storage-interface/spec/lib/go/csi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// nodeServer mounts where ceph-csi mounts: a volume at the staging path, in a directory named like the volume, and
// from there into each pod that has the claim.
type nodeServer struct {
	csi.UnimplementedNodeServer
	node    string
	volumes *volumes
	// One at a time: kubelet repeats what takes long.
	busy sync.Mutex
}

func (s *nodeServer) NodeGetInfo(context.Context, *csi.NodeGetInfoRequest) (*csi.NodeGetInfoResponse, error) {
	return &csi.NodeGetInfoResponse{NodeId: s.node}, nil
}

func (s *nodeServer) NodeGetCapabilities(
	context.Context, *csi.NodeGetCapabilitiesRequest,
) (*csi.NodeGetCapabilitiesResponse, error) {
	stages := &csi.NodeServiceCapability_RPC{Type: csi.NodeServiceCapability_RPC_STAGE_UNSTAGE_VOLUME}
	return &csi.NodeGetCapabilitiesResponse{
		Capabilities: []*csi.NodeServiceCapability{{Type: &csi.NodeServiceCapability_Rpc{Rpc: stages}}},
	}, nil
}

func (s *nodeServer) NodeStageVolume(
	ctx context.Context, request *csi.NodeStageVolumeRequest,
) (*csi.NodeStageVolumeResponse, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	if request.VolumeCapability.GetMount() == nil {
		return nil, status.Error(codes.InvalidArgument, "only volumes with a filesystem can be staged")
	}
	attributes := request.VolumeContext
	image := image{attributes["pool"], attributes["radosNamespace"], attributes["imageName"]}
	if image.pool == "" || image.name == "" {
		return nil, status.Error(codes.InvalidArgument, "volumeAttributes need pool and imageName")
	}
	at := filepath.Join(request.StagingTargetPath, request.VolumeId)
	return &csi.NodeStageVolumeResponse{}, s.volumes.stage(ctx, request.VolumeId, image, at)
}

func (s *nodeServer) NodeUnstageVolume(
	ctx context.Context, request *csi.NodeUnstageVolumeRequest,
) (*csi.NodeUnstageVolumeResponse, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	at := filepath.Join(request.StagingTargetPath, request.VolumeId)
	return &csi.NodeUnstageVolumeResponse{}, s.volumes.unstage(ctx, request.VolumeId, at)
}

func (s *nodeServer) NodePublishVolume(
	ctx context.Context, request *csi.NodePublishVolumeRequest,
) (*csi.NodePublishVolumeResponse, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	from := filepath.Join(request.StagingTargetPath, request.VolumeId)
	return &csi.NodePublishVolumeResponse{}, bind(ctx, from, request.TargetPath, request.Readonly)
}

func (s *nodeServer) NodeUnpublishVolume(
	ctx context.Context, request *csi.NodeUnpublishVolumeRequest,
) (*csi.NodeUnpublishVolumeResponse, error) {
	s.busy.Lock()
	defer s.busy.Unlock()
	return &csi.NodeUnpublishVolumeResponse{}, unmount(ctx, request.TargetPath)
}
