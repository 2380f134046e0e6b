#!/bin/sh
# Builds a stand-in for python:3.11-slim-bookworm where no image registry can be reached.
# Usage: base_image.sh FILE.tar   (as root; needs mmdebstrap; uses this machine's own apt sources, pip settings and CA bundle)
# Same Debian release and Python minor version as the real base; python lives in /usr/bin, so /usr/local/bin gets links.
set -eu
out=$1
sources=/etc/apt/sources.list.d/debian.sources
[ -e "$sources" ] || sources=/etc/apt/sources.list

exec mmdebstrap --quiet --variant=minbase \
  --include=python3,python3-pip,ca-certificates,git \
  --customize-hook='rm -f "$1"/usr/lib/python3*/EXTERNALLY-MANAGED' \
  --customize-hook='ln -s /usr/bin/python3 "$1"/usr/local/bin/python' \
  --customize-hook='ln -s /usr/bin/python3 "$1"/usr/local/bin/python3' \
  --customize-hook='ln -s /usr/bin/pip3 "$1"/usr/local/bin/pip' \
  --customize-hook='cp /etc/ssl/certs/ca-certificates.crt "$1"/etc/ssl/certs/ca-certificates.crt' \
  --customize-hook='echo "Dir::Cache::pkgcache \"\"; Dir::Cache::srcpkgcache \"\";" >"$1"/etc/apt/apt.conf.d/docker-clean' \
  --customize-hook='rm -f "$1"/var/cache/apt/*.bin' \
  --customize-hook='[ ! -e /etc/pip.conf ] || cp /etc/pip.conf "$1"/etc/pip.conf' \
  bookworm "$out" "$sources"
