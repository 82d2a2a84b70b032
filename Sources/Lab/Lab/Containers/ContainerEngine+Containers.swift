// The containers and networks of an engine, as far as a lab needs them. All carry the lab's label.

import Encoding

extension ContainerEngine {
  /// The label that says which lab something belongs to.
  static let label = "liburna.lab"
  /// The label with a digest of what a container was made from.
  static let specLabel = "liburna.spec"

  /// A container as a list shows it.
  struct Container: Sendable {
    var id: String
    var name: String
    /// `running`, `paused`, `exited`, `created` …
    var state: String
    var spec: String
  }

  private static func query(label value: String) -> String {
    let filter = JSONValue.fields(["label": .array([.string("\(label)=\(value)")])])
    return "filters=" + escaped(filter.text)
  }

  // MARK: - Containers

  func containers(of lab: String) throws -> [Container] {
    let answer = try ask("GET", "/containers/json?all=1&" + Self.query(label: lab))
    return (answer.array ?? []).compactMap { item in
      guard let id = item["Id"]?.string else { return nil }
      let name = item["Names"]?.array?.first?.string ?? ""
      return Container(
        id: id, name: name.hasPrefix("/") ? String(name.dropFirst()) : name,
        state: item["State"]?.string ?? "",
        spec: item["Labels"]?[Self.specLabel]?.string ?? "")
    }
  }

  /// Makes a container and gives its id.
  func create(_ name: String, _ spec: JSONValue) throws -> String {
    let answer = try ask("POST", "/containers/create?name=" + Self.escaped(name), .json(spec))
    guard let id = answer["Id"]?.string else { throw LabError("the engine names no container") }
    return id
  }

  func start(_ container: String) throws {
    try ask("POST", "/containers/\(container)/start")
  }

  /// Kills a container at once and waits until it is gone from the processes. Fine if it was.
  func kill(_ container: String) throws {
    // Signals don't reach what stands still.
    try ask("POST", "/containers/\(container)/unpause", allowed: [304, 404, 409, 500])
    try ask("POST", "/containers/\(container)/kill?signal=SIGKILL", allowed: [404, 409, 500])
    try ask("POST", "/containers/\(container)/wait", allowed: [404])
  }

  func pause(_ container: String, _ isPaused: Bool) throws {
    try ask("POST", "/containers/\(container)/\(isPaused ? "pause" : "unpause")")
  }

  /// Removes a container whatever it does. Fine if it is gone.
  func remove(_ container: String) throws {
    try ask("POST", "/containers/\(container)/unpause", allowed: [304, 404, 409, 500])
    try ask("POST", "/containers/\(container)/kill?signal=SIGKILL", allowed: [404, 409, 500])
    try ask("DELETE", "/containers/\(container)?force=1&v=1", allowed: [404, 409])
  }

  /// Whether a container runs, its exit code if it has ended, and why it could not be started.
  func condition(of container: String) throws -> (runs: Bool, text: String) {
    let state = try ask("GET", "/containers/\(container)/json")["State"]
    let isRunning = state?["Running"] == .bool(true)
    var text = state?["Status"]?.string ?? "unknown"
    if case .number(let code)? = state?["ExitCode"], !isRunning { text += " with code " + code }
    if let error = state?["Error"]?.string, !error.isEmpty { text += ": " + error }
    return (isRunning, text)
  }

  // MARK: - Networks

  /// The subnets of the engine's networks, as `10.88.0.0/16`.
  func subnets() throws -> [String] {
    (try ask("GET", "/networks").array ?? []).flatMap { network in
      (network["IPAM"]?["Config"]?.array ?? []).compactMap { $0["Subnet"]?.string }
    }
  }

  /// Makes a network for a lab with a bridge of its own.
  func createNetwork(_ name: String, subnet: String, gateway: String) throws {
    let spec = JSONValue.fields([
      "Name": .string(name), "Driver": .string("bridge"), "CheckDuplicate": .bool(true),
      "Labels": .fields([Self.label: .string(name)]),
      "IPAM": .fields([
        "Driver": .string("default"),
        "Config": .array([.fields(["Subnet": .string(subnet), "Gateway": .string(gateway)])]),
      ]),
    ])
    try ask("POST", "/networks/create", .json(spec))
  }

  func removeNetworks(of lab: String) throws {
    let found = try ask("GET", "/networks?" + Self.query(label: lab)).array ?? []
    for name in found.compactMap({ $0["Name"]?.string }) {
      try ask("DELETE", "/networks/" + Self.escaped(name), allowed: [404])
    }
  }

  func disconnect(_ container: String, from network: String) throws {
    let body = JSONValue.fields(["Container": .string(container), "Force": .bool(true)])
    try ask("POST", "/networks/\(Self.escaped(network))/disconnect", .json(body))
  }

  /// What joins a network at an address. Its hardware address stays the same, so that the others find
  /// it again.
  static func endpoint(_ address: HostAddress) -> JSONValue {
    let hardware = address.hardware.map { Hexadecimal.text([$0]) }
    return .fields([
      "IPAMConfig": .fields(["IPv4Address": .string(address.description)]),
      "MacAddress": .string(hardware.joined(separator: ":")),
    ])
  }

  func connect(_ container: String, to network: String, at address: HostAddress) throws {
    let body = JSONValue.fields([
      "Container": .string(container), "EndpointConfig": Self.endpoint(address),
    ])
    try ask("POST", "/networks/\(Self.escaped(network))/connect", .json(body))
  }
}
