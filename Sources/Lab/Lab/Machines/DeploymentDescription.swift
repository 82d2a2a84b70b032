// Deployment descriptions: which machine is which host of which role, as JSON in the form that
// NixOS-Compose uses. Docs/Machines.md says what is written and what is read.

import Compositions
import Encoding
import Glibc

struct DeploymentDescription: Equatable {
  struct Machine: Equatable {
    /// What ssh calls it.
    var name: String
    var address: String
    var host: String
    var role: String
  }

  var machines: [Machine]

  /// The names that the form knows.
  private enum Field {
    static let deployment = "deployment", role = "role", host = "host", number = "vm_id"
    static let key = "ssh_key.pub", all = "all", composition = "composition", user = "user"
    /// Ours: what ssh calls the machine where that is not its address, and the lab.
    static let machine = "machine", lab = "lab", port = "ssh_port"
  }

  // MARK: - Reading

  init(machines: [Machine]) { self.machines = machines }

  init(reading bytes: [UInt8], file: String) throws {
    let document: JSONValue
    do {
      document = try JSONReader.read(bytes)
    } catch {
      throw LabError("\(file), \(error)")
    }
    guard case .object(let entries)? = document[Field.deployment] else {
      throw LabError(
        "\(file) is JSON, but no deployment description: it has no object \"\(Field.deployment)\" whose "
          + "names are addresses and whose values are objects with \"role\" and \"host\"")
    }
    machines = try entries.map { try Self.machine($0, file: file) }
    // Repeated addresses or hosts would make two hosts of one machine, or one of two.
    for (what, all) in [("host", machines.map(\.host)), ("machine", machines.map(\.name))] {
      var seen: Set<String> = []
      if let twice = all.first(where: { !seen.insert($0).inserted }) {
        throw LabError("\(file) has the \(what) \(twice) twice")
      }
    }
  }

  private static func machine(_ entry: JSONMember, file: String) throws -> Machine {
    guard MachineList.isName(entry.name) else {
      throw LabError("\(file): \"\(entry.name.prefix(60))\" is not the address of a machine")
    }
    guard let host = entry.value[Field.host]?.string, MachineList.isName(host) else {
      throw LabError("\(file): the machine \(entry.name) has no \"\(Field.host)\"")
    }
    let name = entry.value[Field.machine]?.string ?? entry.name
    guard MachineList.isName(name) else {
      throw LabError("\(file): \"\(name.prefix(60))\" is not the name of a machine")
    }
    let role = entry.value[Field.role]?.string ?? host
    return Machine(name: name, address: entry.name, host: host, role: role)
  }

  // MARK: - Writing

  /// The description of a lab, as it is written.
  static func text(of state: LabState, key: String) -> String {
    let hosts = state.hosts.map { host -> (String, Value) in
      let fields: [(String, Value)] = [
        (Field.role, .text(host.role)), (Field.host, .text(host.name)),
        (Field.number, .number(host.index)), (Field.machine, .text(host.machine ?? "")),
      ]
      return (host.address ?? "", .object(fields))
    }
    let settings = state.settings
    let port = Int(settings.machines?.labPort ?? MachineSettings.standardLabPort)
    return Value.object([
      (Field.key, .text(key.split(separator: "\n").first.map(String.init) ?? "")),
      (Field.deployment, .object(hosts)), (Field.all, .object([])),
      (Field.composition, .text(settings.composition.name)),
      (Field.user, .text(settings.machines?.user ?? "root")),
      (Field.lab, .text(state.name)), (Field.port, .number(port)),
    ]).text(indent: "") + "\n"
  }

  private enum Value {
    case text(String)
    case number(Int)
    case object([(String, Value)])

    func text(indent: String) -> String {
      switch self {
      case .text(let text): return Self.quoted(text)
      case .number(let number): return String(number)
      case .object(let members) where members.isEmpty: return "{}"
      case .object(let members):
        let inner = indent + "  "
        let lines = members.map { inner + Self.quoted($0.0) + ": " + $0.1.text(indent: inner) }
        return "{\n" + lines.joined(separator: ",\n") + "\n\(indent)}"
      }
    }

    private static func quoted(_ text: String) -> String {
      var result = "\""
      for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": result += "\\\(scalar)"
        case _ where scalar.value < 0x20:
          let digits = String(scalar.value, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
      }
      return result + "\""
    }
  }
}
