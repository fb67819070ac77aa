# All images, each for both kinds of processors, with lists of what is inside (SBOM) and how it was built (provenance):
#
#   npm run image:context
#   npm run image:wheels        for the images of Benji, on a machine of the same kind
#   IMAGE=REGISTRY/holdfast VERSION=1.0.0 docker buildx bake -f apps/sidecar/docker-bake.hcl --push
#
# Of a foreign processor, the build needs an emulator (QEMU) or a builder of that kind.

variable "IMAGE" {
  default = "holdfast"
}

variable "VERSION" {
  default = "unknown"
}

variable "REVISION" {
  default = "unknown"
}

# What `npm run image:context` wrote. The Dockerfiles are in it.
variable "CONTEXT" {
  default = "dist-image"
}

group "default" {
  targets = ["debian", "alpine"]
}

# Their wheels are for one kind of processor.
group "benji" {
  targets = ["benji", "benji-k8s"]
}

variable "PLATFORM" {
  default = "linux/amd64"
}

target "image" {
  context   = CONTEXT
  platforms = ["linux/amd64", "linux/arm64"]
  pull      = true
  args = {
    VERSION  = VERSION
    REVISION = REVISION
  }
  attest = ["type=sbom", "type=provenance,mode=max"]
}

target "debian" {
  inherits   = ["image"]
  dockerfile = "Dockerfile"
  tags       = ["${IMAGE}:${VERSION}"]
}

target "alpine" {
  inherits   = ["image"]
  dockerfile = "Dockerfile.alpine"
  tags       = ["${IMAGE}:${VERSION}-alpine"]
}

target "benji" {
  inherits   = ["image"]
  platforms  = [PLATFORM]
  dockerfile = "Dockerfile.benji"
  tags       = ["${IMAGE}-benji:${VERSION}"]
}

target "benji-k8s" {
  inherits   = ["image"]
  platforms  = [PLATFORM]
  dockerfile = "Dockerfile.benji-k8s"
  contexts   = { "${IMAGE}-benji:${VERSION}" = "target:benji" }
  args       = { BENJI_IMAGE = "${IMAGE}-benji:${VERSION}" }
  tags       = ["${IMAGE}-benji-k8s:${VERSION}"]
}
