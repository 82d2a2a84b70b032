// The lab's addresses: a private network that exists inside the lab's namespaces only.

/// The address of the n-th host, 1 to 200, or of the lab's switch.
struct HostAddress: Equatable, CustomStringConvertible {
  var index: Int

  /// The most hosts a lab may have: beyond that the machine's limits on processes come first.
  static let limit = 200
  static let prefixLength: UInt8 = 16
  static let broadcast: [UInt8] = [10, 77, 255, 255]
  /// The switch's own address, from which the tool asks whether services answer.
  static let ofSwitch = HostAddress(index: 254)

  var bytes: [UInt8] { [10, 77, 0, UInt8(index)] }
  var description: String { bytes.map(String.init).joined(separator: ".") }
  /// The same for the same host each time, so that the others find it again after a restart.
  var hardware: [UInt8] { [0x02, 0x4c] + bytes }
}
