// What one host is to become, as plain data: files, binds, services. The tool writes it, the host's
// first process carries it out, on every backend.

import Compositions
import Encoding
import Glibc

/// A file, directory or link that a host needs.
struct PlannedItem: Equatable, Codable, Sendable {
  enum Kind: String, Codable, Sendable { case directory, file, link }
  var kind: Kind
  var path: String
  /// The content of a file, or the target of a link.
  var content = ""
  var mode: mode_t = 0o755
  var user: uid_t = 0
  var group: gid_t = 0

  static func directory(
    _ path: String, mode: mode_t = 0o755, owner: Account? = nil
  ) -> PlannedItem {
    PlannedItem(
      kind: .directory, path: path, mode: mode, user: owner?.uid ?? 0, group: owner?.gid ?? 0)
  }

  static func file(
    _ path: String, _ content: String, mode: mode_t = 0o644, owner: Account? = nil
  ) -> PlannedItem {
    PlannedItem(
      kind: .file, path: path, content: content, mode: mode, user: owner?.uid ?? 0,
      group: owner?.gid ?? 0)
  }

  static func link(_ path: String, to target: String) -> PlannedItem {
    PlannedItem(kind: .link, path: path, content: target)
  }
}

/// A program that a host starts when it boots.
struct PlannedService: Equatable, Codable, Sendable {
  var name: String
  var arguments: [String]
  var account: Account
  var readiness: Readiness
  /// Whether it is started again when it ends.
  var isKept = false
}

/// The network that a host is in.
enum HostNetwork: String, Codable, Sendable {
  /// The lab's own, behind its switch.
  case own
  /// That of the machine, with its addresses and ports.
  case machine
}

/// Everything the first process of a host needs to know.
struct HostPlan: Equatable, Codable, Sendable {
  var name: String
  var role = ""
  /// The host's place in the lab, from 1, which gives its address.
  var index: Int
  /// The second byte of the lab's addresses.
  var subnet = HostAddress.standardSubnet
  /// The directories of its image, topmost first, or what the backend calls it; empty for the
  /// machine's own root.
  var image: [String] = []
  /// Mount points of the machine, beside /, that hosts on its own root see as layers of their own.
  var layers: [String] = []
  /// Made on an empty root that the layers then fill, where the machine's root as a whole can't be one.
  var skeleton: [PlannedItem] = []
  /// Put on the host's disk once, when it is new.
  var disk: [PlannedItem] = []
  /// Made at every boot, in directories that do not survive one.
  var boot: [PlannedItem] = []
  /// Directories that all hosts share.
  var shared: [String] = ["/home"]
  var volumes: [Volume] = []
  var network = HostNetwork.own
  var firstProcess = FirstProcess.tiny
  /// Whether programs here run containers, which takes more rights than other hosts have.
  var containers = false
  /// Scripts of /bin/sh for root, at every boot, before the services.
  var prepare: [String] = []
  var services: [PlannedService] = []
  /// The environment of services, scripts and commands beyond what every process has.
  var environment: [String] = []

  var address: HostAddress { HostAddress(index: index, subnet: subnet) }

  /// The words that run a composition's script: it ends at the first command that fails.
  static func shell(_ script: String) -> [String] { ["/bin/sh", "-euc", script] }
}

/// Plans and the state are kept as CBOR.
enum Kept {
  static func write(_ value: some Encodable, to path: String) throws {
    try Files.replace(path, with: try CBOREncoder().encode(value), mode: 0o600)
  }

  static func read<Value: Decodable>(_ type: Value.Type, from path: String) throws -> Value {
    do {
      return try CBORDecoder().decode(type, from: try Files.read(path))
    } catch let error as LabError {
      throw error
    } catch {
      throw LabError(
        "\(path) is damaged, or of another version (\(error)); "
          + "`liburna lab stop` or `clean` removes the lab")
    }
  }
}
