// Who listens on a port of this host, as the kernel says: nobody is connected to, so no server notices.

import Glibc
import Wire

extension PortReading {
  /// More is no table of connections.
  private static let limit = 64 << 20

  /// Looks on this host, if `host` is a name of it.
  static func live(host: String, port: Int) -> PortReading {
    let sockets = ["/proc/net/tcp", "/proc/net/tcp6"].flatMap { path -> [String] in
      guard let bytes = try? readFile(path, limit: limit) else { return [] }
      return listeners(in: String(decoding: bytes, as: UTF8.self), on: port)
    }
    guard !sockets.isEmpty else { return isThisHost(host) ? .nobody : .elsewhere(host) }
    return owner(of: Set(sockets.map { "socket:[\($0)]" })).map { .program($0) } ?? .somebody
  }

  /// The inodes of sockets that listen on a port, in a table of the kernel's.
  static func listeners(in table: String, on port: Int) -> [String] {
    table.split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(separator: " ")
      // 0A: it listens.
      guard fields.count > 9, fields[3] == "0A",
        let digits = fields[1].split(separator: ":").last, Int(digits, radix: 16) == port
      else { return nil }
      return String(fields[9])
    }
  }

  /// The program that has one of these sockets open; `nil` if we may not see it.
  private static func owner(of sockets: Set<String>) -> String? {
    guard let directory = opendir("/proc") else { return nil }
    defer { closedir(directory) }
    while let entry = readdir(directory) {
      let name = text(of: entry)
      guard Int(name) != nil, hasOpen(sockets, "/proc/\(name)/fd") else { continue }
      guard let line = try? readFile("/proc/\(name)/cmdline", limit: 1 << 20) else { continue }
      return program(line)
    }
    return nil
  }

  /// The program and the script that it runs; other words of its may hold anything.
  static func program(_ commandLine: [UInt8]) -> String {
    let words = commandLine.split(separator: 0).prefix(2).map {
      String(decoding: $0, as: UTF8.self)
    }
    let shown = words.enumerated().filter { $0 == 0 || $1.hasPrefix("/") }.map(\.element)
    return shown.joined(separator: " ")
  }

  private static func hasOpen(_ sockets: Set<String>, _ folder: String) -> Bool {
    guard let directory = opendir(folder) else { return false }
    defer { closedir(directory) }
    var buffer = [CChar](repeating: 0, count: 64)
    while let entry = readdir(directory) {
      let count = readlink("\(folder)/\(text(of: entry))", &buffer, buffer.count)
      guard count > 0 else { continue }
      let target = buffer[..<count].map { UInt8(bitPattern: $0) }
      if sockets.contains(String(decoding: target, as: UTF8.self)) { return true }
    }
    return false
  }

  private static func text(of entry: UnsafeMutablePointer<dirent>) -> String {
    withUnsafeBytes(of: entry.pointee.d_name) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }

  /// Whether an address of the host is one of this host's: only then a socket can be bound to it.
  private static func isThisHost(_ host: String) -> Bool {
    var hints = addrinfo()
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    guard getaddrinfo(host, nil, &hints, &list) == 0 else { return false }
    defer { freeaddrinfo(list) }
    var next = list
    while let address = next {
      next = address.pointee.ai_next
      let descriptor = socket(
        address.pointee.ai_family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
      guard descriptor >= 0 else { continue }
      defer { close(descriptor) }
      if bind(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 { return true }
    }
    return false
  }
}
