// The lab's addresses: a private network of namespaces, of virtual machines or of a container engine.

/// The address of the n-th host, 1 to ``limit``, or of the lab's switch.
struct HostAddress: Equatable, CustomStringConvertible {
  var index: Int
  /// The second byte of all addresses of the lab.
  var subnet = Self.standardSubnet

  /// What labs take whose network nobody else sees.
  static let standardSubnet: UInt8 = 77
  /// The most hosts a lab may have: a bridge of the kernel has 1,024 ports.
  static let limit = 1000
  static let prefixLength: UInt8 = 16
  /// The switch's own address, from which the tool asks whether services answer.
  static let ofSwitch = HostAddress(index: 254 * perByte + 254)

  /// Addresses in each step of the third byte: none ends with 0 or 255, which some programs refuse.
  private static let perByte = 254

  private var place: Int { index - 1 }
  var bytes: [UInt8] {
    [10, subnet, UInt8(place / Self.perByte), UInt8(place % Self.perByte + 1)]
  }
  /// The address of all hosts.
  var broadcast: [UInt8] { [10, subnet, 255, 255] }
  var description: String { bytes.map(String.init).joined(separator: ".") }
  /// The same for the same host each time, so that the others find it again after a restart.
  var hardware: [UInt8] { [0x02, 0x4c] + bytes }
}
