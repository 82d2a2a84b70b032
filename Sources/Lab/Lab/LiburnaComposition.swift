// The lab of the product itself: a server that runs liburnad, a frontend, and nodes whose cores are
// the resources.

import Glibc

extension Composition {
  /// The cores of each node, and the processors that they are shared out to.
  static let coresPerNode = 4
  static let coresPerProcessor = 2

  /// OAR's commands: names of the one program.
  static let commandNames = [
    "oarsub", "oarstat", "oardel", "oarhold", "oarresume", "oarnodes", "oarnodesetting",
    "oarproperty", "oarqueue", "oarprint", "oarsh", "oarnotify", "oarremoveresource",
    "oarwalltime",
  ]
  static let programs = ["liburna", "liburnad", "liburna-node"]
  /// The account that the server runs as.
  static let serviceAccount = (name: "oar", home: OarConfiguration.stateDirectory)
  static let serverProgram = "liburnad"

  /// The product's lab, on the programs in the given directory.
  public static func liburna(nodes: Int, binaries: String) -> Composition {
    var composition = plain(nodes: nodes, binaries: binaries)
    composition.kind = "liburna"
    composition.roles[0].services = [
      Service(
        serverProgram, ["\(productDirectory)/\(serverProgram)"], user: serviceAccount.name,
        readiness: .socket(OarConfiguration.socket), isKept: true)
    ]
    composition.accounts.append(serviceAccount)
    composition.commands =
      commandNames.map { ($0, "liburna") } + programs.map { ($0, $0) }
    composition.files = productFiles
    composition.provisioning = registration(
      of: composition.roles[2].hosts, processors: processorCount)
    return composition
  }

  /// Where the product's programs are seen in every host.
  static let productDirectory = "/usr/local/liburna/bin"

  private static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  @Sendable
  private static func productFiles(_ accounts: Accounts) -> [PlannedItem] {
    [
      .directory("/etc/oar"),
      .file(OarConfiguration.path, OarConfiguration.text),
    ]
  }

  /// The commands that tell the server of its nodes. Core and processor numbers count through the
  /// whole lab; the cpuset of a core must be a processor that the machine has.
  static func registration(of nodes: [String], processors: Int) -> [ProvisionStep] {
    var steps = [
      ProvisionStep(
        id: "numbers", host: "server", arguments: ["oarproperty", "-a", "cpu", "-a", "core"]),
      ProvisionStep(id: "names", host: "server", arguments: ["oarproperty", "-c", "-a", "host"]),
    ]
    for (number, node) in nodes.enumerated() {
      for place in 0..<coresPerNode {
        let core = number * coresPerNode + place
        steps.append(
          ProvisionStep(
            id: "core \(core)", host: "server",
            arguments: [
              "oarnodesetting", "-a", "-h", node, "-p", "host=\(node)",
              "-p", "cpu=\(core / coresPerProcessor)", "-p", "core=\(core)",
              "-p", "cpuset=\(core % processors)",
            ]))
      }
    }
    return steps
  }
}
