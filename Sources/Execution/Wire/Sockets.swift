// Sockets to listen on and to call: unix ones by path, TCP ones by name and port.

import Glibc

/// A socket that could not be opened.
public struct SocketError: Error, CustomStringConvertible, Sendable {
  public let description: String

  init(_ what: String, _ code: Int32 = errno) {
    description = "\(what): \(String(cString: strerror(code)))"
  }

  init(text: String) { description = text }
}

/// Opens sockets; the caller closes what it gets.
public enum Sockets {
  /// A listening unix socket at `path`, open to every user; a stale file is replaced.
  public static func listen(path: String) throws(SocketError) -> Int32 {
    let descriptor = try make(AF_UNIX)
    unlink(path)
    let code = try withAddress(path: path) { bind(descriptor, $0, $1) }
    guard code == 0, chmod(path, 0o666) == 0, Glibc.listen(descriptor, 1024) == 0 else {
      return try give(up: descriptor, "cannot listen on \(path)")
    }
    return descriptor
  }

  /// A listening TCP socket on all addresses of this host.
  public static func listen(port: Int) throws(SocketError) -> Int32 {
    let descriptor = try make(AF_INET6)
    var on: Int32 = 1
    var off: Int32 = 0
    setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
    setsockopt(
      descriptor, Int32(IPPROTO_IPV6), IPV6_V6ONLY, &off, socklen_t(MemoryLayout<Int32>.size))
    var address = sockaddr_in6()
    address.sin6_family = sa_family_t(AF_INET6)
    address.sin6_port = in_port_t(UInt16(truncatingIfNeeded: port)).bigEndian
    address.sin6_addr = in6addr_any
    let code = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
      }
    }
    guard code == 0, Glibc.listen(descriptor, 1024) == 0 else {
      return try give(up: descriptor, "cannot listen on TCP port \(port)")
    }
    return descriptor
  }

  /// A connection to a unix socket.
  public static func connect(path: String) throws(SocketError) -> Int32 {
    let descriptor = try make(AF_UNIX)
    let code = try withAddress(path: path) { Glibc.connect(descriptor, $0, $1) }
    guard code == 0 else { return try give(up: descriptor, "cannot connect to \(path)") }
    return descriptor
  }

  /// A connection to a TCP port of a host, by name or address.
  public static func connect(host: String, port: Int) throws(SocketError) -> Int32 {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var found: UnsafeMutablePointer<addrinfo>?
    let code = getaddrinfo(host, String(port), &hints, &found)
    guard code == 0 else {
      let reason = String(cString: gai_strerror(code))
      throw SocketError(text: "cannot find the host \"\(host)\": \(reason)")
    }
    defer { freeaddrinfo(found) }
    var next = found
    var failure = SocketError(text: "no address for \(host)")
    while let entry = next?.pointee {
      let kind = entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
      let descriptor = socket(entry.ai_family, kind, entry.ai_protocol)
      limitSending(descriptor, seconds: connectSeconds)
      if descriptor >= 0, Glibc.connect(descriptor, entry.ai_addr, entry.ai_addrlen) == 0 {
        limitSending(descriptor, seconds: 0)
        noDelay(descriptor)
        noticeDeath(descriptor)
        return descriptor
      }
      failure =
        errno == EINPROGRESS
        ? SocketError(text: "\(host):\(port) has not answered for \(connectSeconds) s")
        : SocketError("cannot connect to \(host):\(port)")
      if descriptor >= 0 { close(descriptor) }
      next = entry.ai_next
    }
    throw failure
  }

  /// A host that has no answer for so many seconds is down: the kernel alone would try for minutes.
  private static let connectSeconds = 10

  /// Bounds `connect` and sending; 0 for no bound.
  private static func limitSending(_ descriptor: Int32, seconds: Int) {
    var limit = timeval(tv_sec: seconds, tv_usec: 0)
    setsockopt(
      descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  /// After so many seconds of silence the other host is asked whether it lives, then every few seconds.
  private static let silenceBeforeProbe: Int32 = 10
  private static let probePause: Int32 = 5
  private static let probes: Int32 = 3

  /// Ends the connection when the other host loses its power: whoever only listens would wait for ever.
  public static func noticeDeath(_ descriptor: Int32) {
    let settings: [(Int32, Int32, Int32)] = [
      (SOL_SOCKET, SO_KEEPALIVE, 1),
      (Int32(IPPROTO_TCP), TCP_KEEPIDLE, silenceBeforeProbe),
      (Int32(IPPROTO_TCP), TCP_KEEPINTVL, probePause), (Int32(IPPROTO_TCP), TCP_KEEPCNT, probes),
    ]
    for (level, name, value) in settings {
      var value = value
      setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Int32>.size))
    }
  }

  /// Small messages leave at once.
  public static func noDelay(_ descriptor: Int32) {
    var on: Int32 = 1
    setsockopt(
      descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
  }

  private static func make(_ family: Int32) throws(SocketError) -> Int32 {
    let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let descriptor = socket(family, kind, 0)
    guard descriptor >= 0 else { throw SocketError("cannot make a socket") }
    return descriptor
  }

  private static func give(up descriptor: Int32, _ what: String) throws(SocketError) -> Int32 {
    let error = SocketError(what)
    close(descriptor)
    throw error
  }

  private static func withAddress(
    path: String, _ use: (UnsafePointer<sockaddr>, socklen_t) -> Int32
  ) throws(SocketError) -> Int32 {
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else {
      throw SocketError(text: "the socket path \(path) is too long (at most 107 bytes)")
    }
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        use($0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
  }
}
