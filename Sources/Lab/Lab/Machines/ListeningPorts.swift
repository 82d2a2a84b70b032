// Which TCP ports of this machine are in use, and by whom.

import Glibc

enum ListeningPorts {
  /// What the kernel calls the state of a socket that listens.
  private static let listening = "0A"

  /// The inodes of the sockets that listen on each port, in either version of IP.
  static func read() throws -> [UInt16: Set<String>] {
    var ports = parse(try Files.readText("/proc/net/tcp"))
    if let six = try? Files.readText("/proc/net/tcp6") {
      ports.merge(parse(six)) { $0.union($1) }
    }
    return ports
  }

  /// Reads the text of /proc/net/tcp: field 2 is ADDRESS:PORT, 4 the state, 10 the inode.
  static func parse(_ text: String) -> [UInt16: Set<String>] {
    var ports: [UInt16: Set<String>] = [:]
    for line in text.split(separator: "\n").dropFirst() {
      let fields = line.split(separator: " ")
      guard fields.count > 9, fields[3] == listening,
        let port = fields[1].split(separator: ":").last.flatMap({ UInt16($0, radix: 16) })
      else { continue }
      ports[port, default: []].insert(String(fields[9]))
    }
    return ports
  }

  /// The process that holds one of these sockets, by name and pid, if it can be seen.
  static func owner(of inodes: Set<String>) -> String? {
    let links = Set(inodes.map { "socket:[\($0)]" })
    for pid in Files.list("/proc") where pid.allSatisfy(\.isNumber) {
      for descriptor in Files.list("/proc/\(pid)/fd") {
        guard let link = Files.linkTarget("/proc/\(pid)/fd/\(descriptor)"), links.contains(link)
        else { continue }
        return "\(Files.value("/proc/\(pid)/comm") ?? "a process") (pid \(pid))"
      }
    }
    return nil
  }
}
