#!/bin/sh
#
# Sourced by dracut's init, before any other hook: binds the configured devices
# to vfio-pci.

@BINARY@ --bind
