// The layers of Docs/Design.md as data: which layers and which outside modules each may import.

struct Layer {
  /// The layers whose targets may be imported, the own one included where its targets build on each other.
  var layers: Set<String>
  /// Modules from outside the package, and of `Bindings` by name.
  var modules: Set<String>

  static let all: [String: Layer] = [
    "Bindings": Layer(layers: [], modules: []),
    "Model": Layer(layers: ["Model"], modules: ["FoundationEssentials", "CYAML"]),
    "Planning": Layer(layers: ["Model", "Planning"], modules: ["Synchronization"]),
    "Storage": Layer(
      layers: ["Model", "Storage"], modules: ["CSQLite", "CPostgreSQL", "Glibc", "Synchronization"]),
    "Execution": Layer(
      layers: ["Model", "Execution"], modules: ["CLinux", "CMunge", "Glibc", "Synchronization"]),
    "Service": Layer(
      layers: ["Model", "Planning", "Storage", "Execution", "Colocation", "Service"],
      modules: ["CLinux", "Glibc", "Synchronization"]),
    "Colocation": Layer(
      layers: ["Model", "Execution", "Colocation"],
      modules: ["CCurl", "CLinux", "Glibc", "Synchronization"]),
    "Lab": Layer(
      layers: ["Model", "Lab"],
      modules: ["CCurl", "CLinux", "Glibc", "ShippedCompositions", "Synchronization"]),
    "Commands": Layer(
      layers: ["Model", "Planning", "Execution", "Lab", "Commands"],
      modules: ["CLinux", "Glibc", "Synchronization"]),
    "Executables": Layer(
      layers: ["Commands", "Service", "Execution", "Lab"], modules: ["Glibc", "Synchronization"]),
  ]

  /// The server plans, and the planners' own commands do; other commands ask the server.
  private static let planners: Set<String> = ["Kamelot", "Kao", "Scenarios"]

  /// Edges that the layers would allow and the map does not.
  static let forbidden: [String: Set<String>] = [
    // The agent is small and on every node; the commands speak to the server alone.
    "NodeAgent": ["NodeConnections", "Credentials"],
    "NodeConnections": ["NodeAgent"],
    "Wire": ["NodeAgent", "NodeConnections"],
    "ClusterModel": ["RequestLanguage", "CYAML"],
    "Encoding": ["CYAML"],
    "RequestLanguage": ["CYAML"],
    "CommandLine": planners.union([
      "UserCommands", "AdminCommands", "PlannerCommands", "Lab", "NodeAgent", "NodeConnections",
    ]),
    "UserCommands": planners.union([
      "AdminCommands", "PlannerCommands", "Lab", "NodeAgent", "NodeConnections",
    ]),
    "AdminCommands": planners.union([
      "UserCommands", "PlannerCommands", "NodeAgent", "NodeConnections",
    ]),
    // What plans a scenario touches nothing else: no server, no node.
    "PlannerCommands": [
      "UserCommands", "AdminCommands", "Lab", "Wire", "Credentials", "NodeAgent", "NodeConnections",
    ],
    "Controller": ["NodeAgent", "SiteCheck", "LendingServer"],
    "LendingSimulation": [
      "NodeAgent", "NodeConnections", "Controller", "LendingServer", "SiteCheck", "Storage",
    ],
    "LendingServer": [
      "NodeAgent", "Controller", "SiteCheck", "SQLStorage", "SQLiteStorage", "Kamelot", "Kao",
      "Scenarios",
    ],
    "SiteCheck": ["NodeAgent", "NodeConnections", "SQLStorage", "SQLiteStorage", "Kamelot", "Kao"],
    // It knows Kubernetes and nothing of batch systems.
    "KubernetesClient": [
      "ClusterModel", "RequestLanguage", "Credentials", "NodeAgent", "NodeConnections",
    ],
    // Whoever makes hosts is given typed values.
    "Lab": ["ShippedCompositions"],
    "Storage": ["SQLiteStorage", "CSQLite", "Glibc"],
    "Kamelot": ["Kao", "Scenarios"],
    "Kao": ["Scenarios"],
  ]

  /// Why a target may not import a module; nil if it may.
  static func problem(
    importing module: String, into target: Repository.Target, of repository: Repository
  ) -> String? {
    guard let layer = all[target.layer] else { return "\(target.layer) is no layer" }
    if forbidden[target.name]?.contains(module) == true {
      return "\(target.name) may not import \(module)"
    }
    if layer.modules.contains(module) { return nil }
    guard let imported = repository.targets.first(where: { $0.name == module }) else {
      return "\(target.layer) may not import \(module)"
    }
    return imported.layer != "Bindings" && layer.layers.contains(imported.layer)
      ? nil : "\(target.layer) may not import \(imported.layer)/\(module)"
  }
}
