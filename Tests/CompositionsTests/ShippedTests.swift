// The compositions that the program brings with it: each is valid, whatever is chosen.

import Compositions
import FoundationEssentials
import Glibc
import Testing

@Suite("Shipped compositions")
struct ShippedTests {
  @Test(
    "every shipped composition is valid with each backend and each set-up, and has a test",
    arguments: CompositionFile.shippedNames)
  func valid(name: String) throws {
    let file = try CompositionFile.shipped(name)
    #expect(file.title == name)
    #expect(!file.about.isEmpty)
    #expect(file.base.test != nil)
    for backend in BackendKind.allCases {
      for setups in [[]] + file.setups.map({ [$0.name] }) {
        let composition = try file.composition(setups: setups, backend: backend, nodes: 2)
        #expect(composition.role("node")?.hosts == ["node1", "node2"])
      }
    }
  }

  @Test("the file of each is named after it")
  func files() throws {
    for name in CompositionFile.shippedNames {
      let text = try repositoryText("Sources/Lab/Compositions/Shipped/\(name).yaml")
      #expect(CompositionFile.shippedBytes(name) == Array(text.utf8))
    }
  }

  @Test("one that there is not is refused with those there are")
  func unknown() {
    let why = refusal { () throws(CompositionError) in try CompositionFile.shipped("libruna") }
    #expect(why?.hasPrefix("composition: there is no composition \"libruna\"; there are ") == true)
    #expect(why?.contains("did you mean \"liburna\"?") == true)
  }

  @Test("liburna: the server runs liburnad, and all hosts have its configuration")
  func liburna() throws {
    let lab = try CompositionFile.shipped("liburna").composition(nodes: 2)
    #expect(lab.hosts == ["server", "frontend", "node1", "node2"])
    #expect(lab.software == .liburna)
    #expect(lab.accounts == LabAccount.people + [LabAccount(name: "oar", home: "/var/lib/oar")])
    #expect(lab.roles.allSatisfy { $0.files.map(\.path) == ["/etc/oar/oar.conf"] })
    #expect(lab.roles.map(\.controls) == [true, false, false])
    #expect(
      lab.role("server")?.services == [
        Service(
          "liburnad", ["/usr/local/liburna/bin/liburnad"], user: "oar",
          ready: .socket("/run/liburna/liburnad.sock"), restarts: true)
      ])
  }

  @Test("liburna: nodes are registered core by core, and a second time only what is missing")
  func registration() throws {
    let lab = try CompositionFile.shipped("liburna").composition()
    let script = try #require(lab.steps.first?.script)
    let server = try FakeServer()
    #expect(try server.run(script, nodes: "node1 node2") == 0)
    let all = try server.resources()
    #expect(
      all[..<5] == [
        "property cpu", "property core", "property host",
        "node1 cpu=0 core=0 cpuset=\(0 % server.processors)",
        "node1 cpu=0 core=1 cpuset=\(1 % server.processors)",
      ])
    #expect(all.count == 3 + 8)
    #expect(all.last == "node2 cpu=3 core=7 cpuset=\(7 % server.processors)")

    #expect(try server.run(script, nodes: "node1 node2 node3") == 0)
    let more = try server.resources()
    #expect(Array(more.prefix(all.count)) == all)
    #expect(more.count == all.count + 4)
    #expect(more.last == "node3 cpu=5 core=11 cpuset=\(11 % server.processors)")
    #expect(try server.run(script, nodes: "node1 node2 node3") == 0)
    #expect(try server.resources() == more)
  }

  @Test("liburna: nodes that left the lab are Dead until they come back")
  func departure() throws {
    let script = try #require(
      try CompositionFile.shipped("liburna").composition().steps.first?.script)
    let server = try FakeServer()
    for (nodes, dead) in [("node1 node2", []), ("node1", ["node2"]), ("node2 node1", [])] {
      #expect(try server.run(script, nodes: nodes) == 0)
      #expect(try server.dead() == dead)
    }
  }
}

/// OAR's commands as far as a script needs them, writing to a file what they were told.
struct FakeServer {
  let directory: TemporaryDirectory
  let processors = max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN)))

  init() throws {
    directory = try TemporaryDirectory()
    let state = "\(directory.path)/state"
    try directory.write("state", "")
    try directory.write("dead", "")
    // Functions of the shell that runs the script: a file that was written a moment ago can't be executed while
    // another test's child, born in between, still has it open.
    try directory.write(
      "commands",
      """
      # -l lists; else the words that are no options are added.
      oarproperty() (
        [ "$1" = -l ] && exec sed -n 's/^property //p' \(state)
        for word; do case "$word" in -*) ;; *) echo "property $word" >> \(state) ;; esac; done
      )
      oarnodes() (
        while read -r node host cpu core cpuset; do
          case $node in node*) ;; *) continue ;; esac
          echo "network_address : $node"
          grep -q "^$node" \(directory.path)/dead && echo "state : Dead" || echo "state : Alive"
          echo "properties : $cpu, $core, $host"
        done < \(state)
      )
      # -a --table -: each line is NODE host=NODE cpu=N core=N cpuset=N; or -s STATE -h NODE
      oarnodesetting() (
        case "$1 $2" in
          "-s Dead") echo "$4" >> \(directory.path)/dead; exit ;;
          "-s Alive") sed -i "/^$4$/d" \(directory.path)/dead; exit ;;
        esac
        [ "$*" = "-a --table -" ] || exit 1
        while read -r node host cpu core cpuset; do echo "$node $cpu $core $cpuset"; done >> \(state)
      )
      """)
  }

  /// The exit status of a step's script.
  func run(_ script: String, nodes: String) throws -> Int32 {
    let file = try directory.write("script", script)
    let command =
      "LAB_NODES='\(nodes)' OAR_CORES=4 sh -c '. \(directory.path)/commands; . \(file)' > /dev/null"
    guard let pipe = popen(command, "r") else { return -1 }
    return pclose(pipe)
  }

  func resources() throws -> [String] { try lines("state") }

  /// The nodes that are Dead.
  func dead() throws -> [String] { try lines("dead") }

  private func lines(_ file: String) throws -> [String] {
    try String(
      decoding: Data(contentsOf: URL(filePath: "\(directory.path)/\(file)")), as: UTF8.self
    )
    .split(separator: "\n").map(String.init)
  }
}
