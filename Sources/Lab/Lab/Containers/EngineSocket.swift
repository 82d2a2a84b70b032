// Where the socket of a container engine is: where the environment says, else the usual places.

import Compositions
import Glibc

enum EngineSocket {
  /// The socket of podman or Docker.
  ///
  /// - Throws: ``LabError`` that names the places looked at and what to do.
  static func find(_ kind: BackendKind) throws -> String {
    let variable = kind == .podman ? "CONTAINER_HOST" : "DOCKER_HOST"
    if let set = environment(variable) {
      let prefix = "unix://"
      guard set.hasPrefix(prefix + "/") else {
        throw LabError("\(variable) is \(set); only a socket of this machine will do, unix:///PATH")
      }
      return try usable([String(set.dropFirst(prefix.count))], kind, "as \(variable) says")
    }
    var places = kind == .podman ? ["/run/podman/podman.sock"] : ["/var/run/docker.sock"]
    if let directory = environment("XDG_RUNTIME_DIR") {
      let own = kind == .podman ? "/podman/podman.sock" : "/docker.sock"
      places.insert(directory + own, at: kind == .podman ? 0 : 1)
    }
    return try usable(places, kind, "set \(variable)=unix:///PATH if it is elsewhere")
  }

  private static func environment(_ name: String) -> String? {
    getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
  }

  private static func usable(
    _ places: [String], _ kind: BackendKind, _ hint: String
  ) throws -> String {
    for place in places where Files.exists(place) {
      guard access(place, R_OK | W_OK) == 0 else {
        throw LabError(
          "\(place) is not open to you; use sudo, or join the group that owns it")
      }
      return place
    }
    throw LabError(
      "no socket of \(kind.rawValue) at \(places.joined(separator: " or ")) (\(hint)); "
        + "start it with: \(starting(kind))")
  }

  private static func starting(_ kind: BackendKind) -> String {
    let isRoot = geteuid() == 0
    return switch kind {
    case .podman:

      (isRoot ? "systemctl" : "systemctl --user")
        + " start podman.socket, or without systemd: podman system service --time=0 &"
    default: "systemctl start docker, or without systemd: dockerd &"
    }
  }
}
