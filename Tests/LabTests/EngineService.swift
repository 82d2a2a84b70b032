// A container engine of the tests' own: podman's service, or Docker's, with private storage and in
// private network and mount namespaces, so that the machine's network and containers are not touched.

import CLinux
import Compositions
import Glibc
import Testing

@testable import Lab

final class EngineService {
  let kind: BackendKind
  /// Where all of it is kept.
  let place: String
  private let child: Child

  var socket: String { place + "/engine.sock" }
  private static let patience = 30
  /// Where Scripts/setup unpacks Docker: installed, it would start a daemon of the machine's own.
  private static let docker = "/usr/local/lib/liburna-tests/docker"

  init(_ kind: BackendKind) throws {
    self.kind = kind
    place = "/var/tmp/liburna-engine-tests-\(getpid())-\(kind.rawValue)"
    try Files.removeTree(place)
    try Files.makeDirectories(place + "/networks")
    try Files.write(
      kind == .podman ? Self.podman(place) : Self.docker(place), to: place + "/run.sh")
    try Files.write(Self.configuration(place), to: place + "/containers.conf")
    let log = open(place + "/log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { for descriptor in [log, null] { close(descriptor) } }
    child = try Launch(
      program: .path("/bin/sh"), arguments: ["sh", "-eu", place + "/run.sh"],
      environment: [
        "PATH=\(Self.docker)/usr/bin:\(Self.docker)/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG=C.UTF-8",
        "CONTAINERS_CONF=\(place)/containers.conf", "HOME=/root",
      ],
      descriptors: [null, log, log], makes: clinux_ns_mount | clinux_ns_network, directory: "/",
      newSession: true
    ).start()
    let deadline = Deadline(seconds: Self.patience)
    while !Probe.accepts(socket: socket) {
      guard !deadline.isOver, !child.ends(within: 20) else {
        let log = Files.tail(place + "/log", lines: 10)
        throw LabError("\(kind.rawValue) did not start", logTail: log)
      }
    }
  }

  /// Ends the engine and removes its storage.
  func stop() throws {
    kill(child.pid, SIGTERM)
    if !child.ends(within: 15_000) { kill(-child.pid, SIGKILL) }
    _ = child.wait()
    // What the engine mounted ended with its mount namespace.
    let deadline = Deadline(seconds: Self.patience)
    while true {
      do {
        return try Files.removeTree(place)
      } catch {
        guard !deadline.isOver else { throw error }
        usleep(50_000)
      }
    }
  }

  /// Runs the body with the environment saying where the engine is.
  func selected<Value>(_ body: () throws -> Value) rethrows -> Value {
    let variable = kind == .podman ? "CONTAINER_HOST" : "DOCKER_HOST"
    setenv(variable, "unix://" + socket, 1)
    defer { unsetenv(variable) }
    return try body()
  }

  /// Mounts begin private, and what engines share between their processes is their own.
  private static func common(_ directories: [String]) -> String {
    """
    mount --make-rprivate /
    ip link set lo up
    for d in \(directories.joined(separator: " ")); do mkdir -p $d; mount -t tmpfs none $d; done

    """
  }

  private static func podman(_ place: String) -> String {
    common(["/run/netns", "/run/containers", "/run/lock", "/run/libpod", "/run/runc"]) + """
      exec podman --root \(place)/root --runroot \(place)/run --storage-driver overlay \\
        system service --time 0 unix://\(place)/engine.sock

      """
  }

  private static func docker(_ place: String) -> String {
    common(["/run/netns", "/run/containerd", "/run/docker", "/run/runc"]) + """
      exec dockerd --data-root \(place)/root --exec-root \(place)/run --pidfile \(place)/pid \\
        --host unix://\(place)/engine.sock --storage-driver overlay2 \\
        --exec-opt native.cgroupdriver=cgroupfs --default-ulimit nofile=1024:1024

      """
  }

  private static func configuration(_ place: String) -> String {
    """
    [containers]
    default_ulimits = ["nofile=1024:1024", "nproc=32768:32768"]
    [network]
    network_backend = "netavark"
    network_config_dir = "\(place)/networks"
    [engine]
    cgroup_manager = "cgroupfs"
    events_logger = "file"
    runtime = "runc"
    static_dir = "\(place)/static"
    volume_path = "\(place)/volumes"
    tmp_dir = "\(place)/tmp"

    """
  }
}
