// Asking from outside whether a service answers: by opening a connection and closing it again.

import CLinux
import Glibc

enum Probe {
  /// How long a host may take to accept a connection, in milliseconds.
  private static let patience: Int32 = 200

  /// Whether something listens on a TCP port, as seen from the network namespace of a process.
  static func accepts(_ port: UInt16, at host: HostAddress, networkOf process: pid_t?) -> Bool {
    guard let process else { return false }
    let network = open("/proc/\(process)/ns/net", O_RDONLY | O_CLOEXEC)
    guard network >= 0 else { return false }
    defer { close(network) }
    return accepts(port, at: host.bytes, network: network)
  }

  /// Whether something listens on a TCP port of this machine, at whichever address.
  static func accepts(_ port: UInt16) -> Bool {
    (try? ListeningPorts.read())?[port] != nil
  }

  /// The same, from a network namespace that is open; -1 for our own.
  static func accepts(_ port: UInt16, at address: [UInt8], network: Int32 = -1) -> Bool {
    let bytes = address
    let socket = clinux_ns_stream_socket(network)
    guard socket >= 0 else { return false }
    defer { close(socket) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = bytes.withUnsafeBytes { $0.loadUnaligned(as: UInt32.self) }
    let asked = withUnsafeBytes(of: &address) { bytes in
      bytes.withMemoryRebound(to: sockaddr.self) {
        connect(socket, $0.baseAddress, socklen_t(bytes.count))
      }
    }
    guard asked == 0 || errno == EINPROGRESS else { return false }
    var wait = pollfd(fd: socket, events: Int16(POLLOUT), revents: 0)
    return poll(&wait, 1, patience) == 1 && wait.revents == Int16(POLLOUT)
  }

  /// Whether something listens on a unix socket.
  static func accepts(socket path: String) -> Bool {
    let socket = UnixAddress.connect(path)
    if socket >= 0 { close(socket) }
    return socket >= 0
  }
}
