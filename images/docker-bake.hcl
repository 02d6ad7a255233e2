# The release build: every image for every platform, with its bill of materials and its provenance. From the root:
#   docker buildx bake -f images/docker-bake.hcl --print
# `npm run images` is the build for the machine one sits at.

# Namespaces that images are pushed to, separated by commas: "docker.io/pillion,ghcr.io/pillion".
variable "REGISTRY" {
  default = "pillion"
}

variable "VERSION" {
  default = "0.0.0-dev"
}

# The commit, when it was made (RFC 3339), and the same in seconds: two builds of one commit are the same bytes.
variable "REVISION" {
  default = "unknown"
}

variable "CREATED" {
  default = "1970-01-01T00:00:00Z"
}

variable "SOURCE_DATE_EPOCH" {
  default = "0"
}

# Releases name them with their digest: "node:26-trixie-slim@sha256:…".
variable "DEBIAN_IMAGE" {
  default = "debian:trixie-slim"
}

variable "NODE_IMAGE" {
  default = "node:26-trixie-slim"
}

# 1.2.3 is also 1.2, 1 and latest. 0.2.3 is 0.2 and latest, but not 0: there a minor version may break what was
# (semver.org, point 4). A pre-release, or what is no version at all, is only itself.
function "versions" {
  params = [version]
  result = concat(
    [version],
    [for part in try(regex("^(([1-9][0-9]*)[.][0-9]+)[.][0-9]+$", version), []) : part],
    [for part in try(regex("^(0[.][0-9]+)[.][0-9]+$", version), []) : part],
    can(regex("^[0-9]+[.][0-9]+[.][0-9]+$", version)) ? ["latest"] : [],
  )
}

function "tags" {
  params = [name]
  result = flatten([for namespace in split(",", REGISTRY) : [for tag in versions(VERSION) : "${namespace}/${name}:${tag}"]])
}

target "common" {
  context    = "."
  dockerfile = "images/Dockerfile"
  platforms  = ["linux/amd64", "linux/arm64"]
  args = {
    VERSION           = VERSION
    REVISION          = REVISION
    CREATED           = CREATED
    SOURCE_DATE_EPOCH = SOURCE_DATE_EPOCH
    DEBIAN_IMAGE      = DEBIAN_IMAGE
    NODE_IMAGE        = NODE_IMAGE
    BASE_NAME         = "docker.io/library/${split("@", NODE_IMAGE)[0]}"
  }
  attest = ["type=sbom", "type=provenance,mode=max"]
  output = ["type=image,rewrite-timestamp=true"]
}

target "image" {
  name     = name
  matrix   = { name = ["topz", "tls-proxy", "repo-updater", "config-sync", "pause"] }
  inherits = ["common"]
  target   = name
  tags     = tags(name)
  labels   = { "org.opencontainers.image.base.digest" = name == "pause" ? null : try(split("@", NODE_IMAGE)[1], null) }
}

group "default" {
  targets = ["image"]
}
