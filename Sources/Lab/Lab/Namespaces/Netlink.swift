// The lab's network, made by talking to the kernel over route netlink: a bridge as the switch, and
// for each host a pair of virtual Ethernet ends, one in the host and one on the bridge.

import CLinux
import Glibc

/// A conversation with the kernel about one network namespace.
struct Netlink: ~Copyable {
  private let socket: Int32

  /// Speaks about the namespace of a /proc/PID/ns/net descriptor, or about the caller's own.
  init(network: Int32? = nil) throws {
    socket = clinux_ns_route_socket(network ?? -1)
    guard socket >= 0 else { throw LabError.system("open", "a route netlink socket") }
  }

  deinit { close(socket) }

  /// The interface number of the bridge: chosen by us, high enough to be free in a new namespace.
  static let bridgeIndex: Int32 = 1000
  static let loopbackIndex: Int32 = 1

  func makeBridge(named name: String) throws {
    var message = Message(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL)
    message.link(index: Self.bridgeIndex, up: true)
    message.text(IFLA_IFNAME, name)
    message.nested(IFLA_LINKINFO) { $0.text(IFLA_INFO_KIND, "bridge") }
    try send(message, "make the switch \(name)")
  }

  /// Makes a pair of interfaces: `name` here with the given hardware address, `peer` in the
  /// namespace of the descriptor `network`.
  func makePair(
    named name: String, hardware: [UInt8], peer: String, network: Int32
  ) throws {
    var message = Message(RTM_NEWLINK, flags: NLM_F_CREATE | NLM_F_EXCL)
    message.link(index: 0, up: false)
    message.text(IFLA_IFNAME, name)
    message.attribute(IFLA_ADDRESS, hardware)
    message.nested(IFLA_LINKINFO) { information in
      information.text(IFLA_INFO_KIND, "veth")
      information.nested(IFLA_INFO_DATA) { data in
        data.nested(VETH_INFO_PEER) { other in
          other.link(index: 0, up: false)
          other.text(IFLA_IFNAME, peer)
          other.attribute(IFLA_NET_NS_FD, Message.bytes(UInt32(bitPattern: network)))
        }
      }
    }
    try send(message, "make the interface \(name)")
  }

  /// Plugs an interface into the bridge and switches it on.
  func plug(_ name: String) throws {
    var message = Message(RTM_NEWLINK)
    message.link(index: 0, up: true)
    message.text(IFLA_IFNAME, name)
    message.attribute(IFLA_MASTER, Message.bytes(UInt32(bitPattern: Self.bridgeIndex)))
    try send(message, "plug \(name) into the switch")
  }

  /// Switches an interface on or off by its name.
  func setUp(_ name: String, _ isUp: Bool) throws {
    var message = Message(RTM_NEWLINK)
    message.link(index: 0, up: isUp, sets: true)
    message.text(IFLA_IFNAME, name)
    try send(message, "switch \(name) \(isUp ? "on" : "off")")
  }

  func switchOn(index: Int32) throws {
    var message = Message(RTM_NEWLINK)
    message.link(index: index, up: true)
    try send(message, "switch on interface \(index)")
  }

  /// Gives an interface its hardware address.
  func hardware(index: Int32, _ hardware: [UInt8]) throws {
    var message = Message(RTM_NEWLINK)
    message.link(index: index, up: false)
    message.attribute(IFLA_ADDRESS, hardware)
    try send(message, "set the hardware address of interface \(index)")
  }

  /// Gives an interface an address, with its network's length in bits.
  func address(index: Int32, _ address: HostAddress) throws {
    var message = Message(RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_REPLACE)
    message.address(index: index, prefix: HostAddress.prefixLength)
    message.attribute(IFA_LOCAL, address.bytes)
    message.attribute(IFA_ADDRESS, address.bytes)
    message.attribute(IFA_BROADCAST, address.broadcast)
    try send(message, "set the address \(address)")
  }

  private func send(_ message: borrowing Message, _ purpose: String) throws {
    let bytes = message.finished()
    guard Glibc.send(socket, bytes, bytes.count, 0) == bytes.count else {
      throw LabError.system("ask the kernel to", purpose)
    }
    var answer = [UInt8](repeating: 0, count: 4096)
    let size = recv(socket, &answer, answer.count, 0)
    // An acknowledgement is an error message whose code, after the header, is zero.
    guard size >= 20 else { throw LabError.system("hear whether the kernel could", purpose) }
    let code = answer[16..<20].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    let error = -Int32(bitPattern: code)
    guard error == 0 else {
      throw LabError("cannot \(purpose): \(String(cString: strerror(error)))")
    }
  }
}

/// A route netlink message under construction. Numbers are in the machine's byte order, and every
/// part is padded to four bytes.
private struct Message {
  private var bytes: [UInt8]

  init(_ type: Int, flags: Int32 = 0) {
    bytes = Self.bytes(UInt32(0))
    bytes += Self.bytes(UInt16(type))
    bytes += Self.bytes(UInt16(NLM_F_REQUEST | NLM_F_ACK | flags))
    bytes += Self.bytes(UInt32(1)) + Self.bytes(UInt32(0))
  }

  /// struct ifinfomsg. Whether the interface is on stays as it is unless `up` says so, or `sets`.
  mutating func link(index: Int32, up: Bool, sets: Bool = false) {
    let flag: UInt32 = 1  // IFF_UP
    bytes += [UInt8(AF_UNSPEC), 0, 0, 0]
    bytes += Self.bytes(UInt32(bitPattern: index)) + Self.bytes(up ? flag : 0)
    bytes += Self.bytes(up || sets ? flag : 0)
  }

  /// struct ifaddrmsg.
  mutating func address(index: Int32, prefix: UInt8) {
    bytes += [UInt8(AF_INET), prefix, 0, 0] + Self.bytes(UInt32(bitPattern: index))
  }

  mutating func attribute(_ type: some FixedWidthInteger, _ value: [UInt8]) {
    bytes += Self.bytes(UInt16(4 + value.count)) + Self.bytes(UInt16(type)) + value
    while bytes.count % 4 != 0 { bytes.append(0) }
  }

  mutating func text(_ type: some FixedWidthInteger, _ value: String) {
    attribute(type, Array(value.utf8) + [0])
  }

  mutating func nested(_ type: some FixedWidthInteger, _ body: (inout Message) -> Void) {
    let start = bytes.count
    bytes += Self.bytes(UInt16(0)) + Self.bytes(UInt16(type))
    body(&self)
    bytes.replaceSubrange(start..<start + 2, with: Self.bytes(UInt16(bytes.count - start)))
  }

  func finished() -> [UInt8] {
    Self.bytes(UInt32(bytes.count)) + bytes.dropFirst(4)
  }

  static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value) { Array($0) }
  }
}
