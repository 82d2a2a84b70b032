// How hosts are made: the backends by name.

/// A backend, which makes the hosts of a lab.
public enum BackendKind: String, Equatable, Codable, Sendable, CaseIterable {
  /// Namespaces of this machine's kernel.
  case namespaces
  /// Containers of a podman service.
  case podman
  /// Containers of a Docker engine.
  case docker
  /// Virtual machines of QEMU.
  case vm
  /// Machines that exist, reached by ssh.
  case machines
}
