// swift-tools-version: 6.1
// Every target of Liburna, in the order in which they may import each other (Docs/Design.md).
import PackageDescription

let strict: [SwiftSetting] = [
  .unsafeFlags(["-warnings-as-errors"]), .enableUpcomingFeature("ExistentialAny"),
]

/// For programs that start often: a third of a command's time would go into relocating it.
let fixedAddress: [LinkerSetting] = [
  .unsafeFlags(["-Xlinker", "-no-pie"], .when(configuration: .release))
]

/// Counting bits as one instruction, which every x86 processor since 2009 has.
#if arch(x86_64)
  let processor: [SwiftSetting] = [.unsafeFlags(["-Xcc", "-march=x86-64-v2"])]
#else
  let processor: [SwiftSetting] = []
#endif

func layer(_ folder: String, _ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(
    name: name, dependencies: dependencies, path: "Sources/\(folder)/\(name)",
    swiftSettings: strict + processor
  )
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies, path: "Sources/Executables/\(name)",
    swiftSettings: strict)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], fixtures: [String] = []
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: dependencies, path: "Tests/\(name)Tests",
    exclude: fixtures, swiftSettings: strict)
}

let package = Package(
  name: "liburna",
  targets: [
    // Bindings: Debian's C libraries, and the system calls that Swift can't see.
    .target(name: "CLinux", path: "Sources/Bindings/CLinux"),
    .systemLibrary(
      name: "CSQLite", path: "Sources/Bindings/CSQLite", pkgConfig: "sqlite3",
      providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(
      name: "CPostgreSQL", path: "Sources/Bindings/CPostgreSQL", pkgConfig: "libpq",
      providers: [.apt(["libpq-dev"])]),
    .systemLibrary(
      name: "CMunge", path: "Sources/Bindings/CMunge", providers: [.apt(["libmunge-dev"])]),
    .systemLibrary(
      name: "CYAML", path: "Sources/Bindings/CYAML",
      providers: [.apt(["libyaml-dev"])]),

    .target(name: "CCurl", path: "Sources/Bindings/CCurl"),

    // Model: pure values.
    layer("Model", "ClusterModel"),
    layer("Model", "Encoding"),
    layer("Model", "RequestLanguage", ["ClusterModel"]),
    .target(
      name: "Documents", dependencies: ["CYAML"], path: "Sources/Model/Documents",
      swiftSettings: strict + processor,
      // Linked as an archive: the program is on every host, and most of its commands read no YAML.
      linkerSettings: [.unsafeFlags(["-Xlinker", "-l:libyaml.a"])]),

    // Planning: pure functions.
    layer("Planning", "Kamelot", ["ClusterModel", "Encoding", "RequestLanguage"]),
    layer("Planning", "Kao", ["ClusterModel", "RequestLanguage", "Kamelot"]),
    layer("Planning", "Scenarios", ["ClusterModel", "Encoding", "Kamelot", "Kao"]),

    // Storage: what is durable.
    layer("Storage", "Storage", ["ClusterModel", "RequestLanguage"]),
    layer("Storage", "SQLStorage", ["ClusterModel", "RequestLanguage", "Encoding", "Storage"]),
    layer("Storage", "SQLiteStorage", ["ClusterModel", "Storage", "SQLStorage", "CSQLite"]),
    layer(
      "Storage", "PostgreSQLStorage", ["ClusterModel", "Storage", "SQLStorage", "CPostgreSQL"]),

    // Execution: messages, nodes, processes.
    layer("Execution", "Wire", ["ClusterModel", "Encoding", "CLinux"]),
    layer("Execution", "Credentials", ["CMunge"]),
    layer(
      "Execution", "NodeAgent",
      ["ClusterModel", "Encoding", "RequestLanguage", "Wire", "CLinux"]),
    layer("Execution", "NodeConnections", ["ClusterModel", "Wire", "CLinux"]),

    // Colocation: Kubernetes on the nodes that jobs leave idle.
    layer("Colocation", "KubernetesClient", ["Encoding", "Documents", "Wire", "CLinux", "CCurl"]),
    layer("Colocation", "Bebida", ["ClusterModel", "Encoding", "KubernetesClient", "Wire"]),

    // Service: the server.
    layer(
      "Service", "Controller",
      [
        "ClusterModel", "RequestLanguage", "Encoding", "Kamelot", "Kao", "Storage", "SQLStorage",
        "SQLiteStorage", "PostgreSQLStorage", "Wire", "Credentials", "NodeConnections", "Bebida",
        "CLinux",
      ]),

    // What an OAR 2 site can take.
    layer(
      "Service", "SiteCheck",
      [
        "ClusterModel", "Encoding", "Storage", "PostgreSQLStorage", "Wire", "Controller",
      ]),
    // The server that lends the nodes of another batch system.
    layer(
      "Service", "LendingServer",
      [
        "ClusterModel", "Encoding", "Storage", "PostgreSQLStorage", "Wire", "NodeConnections",
        "Bebida", "KubernetesClient", "CLinux",
      ]),

    // The same decisions and the same planner on a played cluster: what lending costs and brings.
    layer("Service", "LendingSimulation", ["ClusterModel", "Kamelot", "Kao", "Bebida"]),

    // Lab: a cluster on one machine.
    // The files as bytes in C: as arrays in Swift they would cost a minute to compile.
    .target(name: "ShippedCompositions", path: "Sources/Lab/Compositions/Shipped"),
    .target(
      name: "Compositions", dependencies: ["Documents", "ShippedCompositions"],
      path: "Sources/Lab/Compositions", exclude: ["Shipped"], swiftSettings: strict + processor),
    layer("Lab", "Lab", ["CLinux", "CCurl", "Encoding", "Compositions"]),

    // Commands: what people type.
    layer("Commands", "CommandLine", ["ClusterModel", "Encoding", "Wire", "Credentials"]),
    layer(
      "Commands", "UserCommands",
      ["ClusterModel", "RequestLanguage", "Encoding", "Wire", "CommandLine", "CLinux"]),
    layer(
      "Commands", "AdminCommands",
      [
        "ClusterModel", "RequestLanguage", "Encoding", "Wire", "CommandLine", "Compositions", "Lab",
      ]),
    layer(
      "Commands", "PlannerCommands",
      ["ClusterModel", "Kamelot", "Kao", "Scenarios", "CommandLine", "CLinux"]),

    // Programs: a main each and nothing else.
    .executableTarget(
      name: "liburna", dependencies: ["CommandLine", "UserCommands", "AdminCommands"],
      path: "Sources/Executables/liburna", swiftSettings: strict, linkerSettings: fixedAddress),
    .executableTarget(
      name: "kamelot", dependencies: ["CommandLine", "PlannerCommands", "Controller"],
      path: "Sources/Executables/kamelot", swiftSettings: strict, linkerSettings: fixedAddress),
    .executableTarget(
      name: "kao", dependencies: ["CommandLine", "PlannerCommands", "Controller", "SiteCheck"],
      path: "Sources/Executables/kao", swiftSettings: strict, linkerSettings: fixedAddress),
    program("liburnad", ["Controller", "SiteCheck", "LendingServer", "LendingSimulation"]),
    // Released as one static file: it runs on hosts without Swift, starts fast and forks cheaply.
    .executableTarget(
      name: "liburna-node", dependencies: ["NodeAgent"], path: "Sources/Executables/liburna-node",
      swiftSettings: strict
        + [.unsafeFlags(["-static-executable"], .when(configuration: .release))],
      linkerSettings: [.unsafeFlags(["-static-executable"], .when(configuration: .release))]),

    // The first process of hosts that are containers or machines: one static file too.
    .executableTarget(
      name: "liburna-host", dependencies: ["Lab"], path: "Sources/Executables/liburna-host",
      swiftSettings: strict
        + [.unsafeFlags(["-static-executable"], .when(configuration: .release))],
      linkerSettings: [
        .unsafeFlags(["-static-executable", "-Xlinker", "-s"], .when(configuration: .release))
      ]),

    // What `make bench` measures with.
    .executableTarget(
      name: "liburna-bench",
      dependencies: [
        "ClusterModel", "Kamelot", "Kao", "Scenarios", "Storage", "SQLStorage", "SQLiteStorage",
        "PostgreSQLStorage",
        "Wire",
      ],
      path: "Benchmarks/liburna-bench", swiftSettings: strict),

    tests("ClusterModel", ["ClusterModel"]),
    tests("Encoding", ["Encoding"]),
    tests("RequestLanguage", ["RequestLanguage", "ClusterModel", "CSQLite"]),
    tests("Kamelot", ["Kamelot", "ClusterModel", "Encoding", "RequestLanguage"]),
    tests("Kao", ["Kao", "Kamelot", "ClusterModel", "Encoding", "RequestLanguage"]),
    tests(
      "Scenarios", ["Scenarios", "Kao", "Kamelot", "ClusterModel"],
      fixtures: ["Fixtures/kamelot-vectors.jsonl", "Fixtures/acceptance.jsonl"]),
    tests(
      "Storage",
      [
        "SQLiteStorage", "PostgreSQLStorage", "SQLStorage", "Storage", "ClusterModel",
        "RequestLanguage", "CSQLite", "PostgreSQLFixture",
      ]),
    tests("Wire", ["Wire", "ClusterModel", "Encoding"]),
    tests("NodeAgent", ["NodeAgent", "Wire", "ClusterModel", "CLinux"]),
    tests("NodeConnections", ["NodeConnections", "ClusterModel", "Wire", "CLinux"]),
    tests(
      "Controller",
      [
        "Controller", "ClusterModel", "Storage", "SQLiteStorage", "PostgreSQLStorage", "Wire",
        "CSQLite", "PostgreSQLFixture",
      ]),
    // kamelot in OAR 2's place: the program on a real database.
    tests(
      "QueueScheduler",
      ["ClusterModel", "Storage", "PostgreSQLStorage", "PostgreSQLFixture", "LabFixture"]),
    tests(
      "SiteCheck",
      [
        "SiteCheck", "ClusterModel", "Storage", "PostgreSQLStorage", "PostgreSQLFixture",
        "LabFixture",
      ]),
    tests("KubernetesClient", ["KubernetesClient", "KubernetesFixture", "Encoding"]),
    tests(
      "Bebida",
      [
        "Bebida", "ClusterModel", "KubernetesClient", "KubernetesFixture", "LabFixture", "Encoding",
        "Wire",
      ]),
    tests("LendingServer", ["LendingServer", "ClusterModel", "Wire"]),
    tests("LendingSimulation", ["LendingSimulation"]),
    // A real API server, once for each run of tests that asks for it.
    .target(
      name: "KubernetesFixture", dependencies: ["CLinux"], path: "Tests/KubernetesFixture",
      exclude: ["serve"], swiftSettings: strict),
    tests("Compositions", ["Compositions"]),
    tests("Lab", ["Lab", "Compositions", "Encoding"]),
    tests("PlannerCommands", ["PlannerCommands", "CommandLine", "Kamelot", "ClusterModel"]),
    tests(
      "Commands",
      [
        "CommandLine", "UserCommands", "AdminCommands", "ClusterModel", "Wire", "Compositions",
        "Lab",
      ]),
    tests("Architecture", []),

    // PostgreSQL servers of the tests' own.
    .target(
      name: "PostgreSQLFixture", dependencies: ["CPostgreSQL"], path: "Tests/PostgreSQLFixture",
      swiftSettings: strict),

    // Whole systems: labs of real processes, what users do there, and what breaks there.
    .target(
      name: "LabFixture", dependencies: ["CLinux", "CSQLite"], path: "Tests/LabFixture",
      swiftSettings: strict),
    .testTarget(
      name: "Stories", dependencies: ["LabFixture"], path: "Tests/Stories", swiftSettings: strict),
    .testTarget(
      name: "Faults", dependencies: ["LabFixture"], path: "Tests/Faults", swiftSettings: strict),
    // What `make deb` builds, and the example of oar.conf.
    tests("Packages", ["LabFixture", "Controller", "ClusterModel"]),
  ],
  swiftLanguageModes: [.v6]
)
