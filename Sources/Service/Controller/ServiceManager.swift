// What the server tells the service manager that started it: systemd's protocol of readiness (sd_notify(3)),
// one datagram with lines `NAME=value`. Started by anybody else, it tells nothing.

import Glibc

/// The service manager, as the environment names it.
struct ServiceManager {
  /// NOTIFY_SOCKET: a path, or a name that begins with `@` for one in the abstract name space.
  private let socketName: String?

  init(socketName: String? = getenv("NOTIFY_SOCKET").map { String(cString: $0) }) {
    self.socketName = socketName
  }

  /// Commands are answered from now on.
  func tellReady() { tell("READY=1") }

  /// The server ends in good order.
  func tellStopping() { tell("STOPPING=1") }

  /// A manager that does not hear it ends us after its own time limit, so there is nothing to do about errors.
  private func tell(_ line: String) {
    guard let socketName, let first = socketName.utf8.first else { return }
    guard first == UInt8(ascii: "/") || first == UInt8(ascii: "@") else { return }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    var name = Array(socketName.utf8)
    guard name.count < MemoryLayout.size(ofValue: address.sun_path) else { return }
    if first == UInt8(ascii: "@") { name[0] = 0 }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
    let size = MemoryLayout<sa_family_t>.size + name.count
    let kind = Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue)
    let descriptor = socket(AF_UNIX, kind, 0)
    guard descriptor >= 0 else { return }
    defer { close(descriptor) }
    let bytes = Array(line.utf8)
    _ = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        sendto(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL), $0, socklen_t(size))
      }
    }
  }
}
