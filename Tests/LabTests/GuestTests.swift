// What the tool and the first process of a host tell each other, and what systemd is told, as values.

import Compositions
import Encoding
import Glibc
import Testing

@testable import Lab

@Suite("the line to a host")
struct GuestTests {
  @Test("a message comes through whole, and nothing of what follows is taken with it")
  func messages() throws {
    let (channel, other) = try ControlChannel.pair()
    defer { for descriptor in [channel.descriptor, other] { close(descriptor) } }
    var plan = HostPlan(name: "node1", index: 3)
    plan.disk = [.file("/etc/big", String(repeating: "x", count: 20_000))]
    var orders = HostOrders(plan)
    orders.hosts = "127.0.0.1 localhost\n"
    try channel.ask(.boot(orders))
    try channel.ask(.probe([.port(22), .none, .socket("/run/s"), .file("/etc/passwd")]))
    try channel.confirm()
    let deadline = Deadline(seconds: 5)
    let first = try ByteStream.receive(HostRequest.self, from: other, before: deadline)
    #expect(first == .boot(orders))
    let second = try ByteStream.receive(HostRequest.self, from: other, before: deadline)
    #expect(second == .probe([.port(22), .none, .socket("/run/s"), .file("/etc/passwd")]))
    #expect(BootChannel(input: other, output: other).waitUntilRemembered())
  }

  @Test("answers are lines that are read as they were written")
  func answers() {
    let all: [HostAnswer] = [
      .done, .answers([true, false]), .answers([]), .refused(2, "there is\nno such file"),
      .exited(137),
    ]
    let expected: [HostAnswer] = [
      .done, .answers([true, false]), .answers([]), .refused(2, "there is no such file"),
      .exited(137),
    ]
    #expect(all.map { HostAnswer(line: $0.line) } == expected)
    #expect(HostAnswer(line: "exited x") == nil)
  }

  @Test("garbage and messages without end are refused")
  func garbage() throws {
    for bytes: [UInt8] in [
      [0xff, 0xff, 0xff, 0xff, 0], [0, 0, 0, 2, 0xff, 0xff], [0, 0, 0, 9, 1],
    ] {
      let (channel, other) = try ControlChannel.pair()
      try ByteStream.write(bytes, to: channel.descriptor)
      close(channel.descriptor)
      #expect(throws: LabError.self) {
        try ByteStream.receive(HostRequest.self, from: other, before: Deadline(seconds: 5))
      }
      close(other)
    }
  }

  @Test("a program that needs a loader is no first process of hosts")
  func programs() throws {
    #expect(!HostProgram.isStatic("/bin/sh"))
    #expect(!HostProgram.isStatic("/etc/passwd"))
    #expect(!HostProgram.isStatic("/nowhere"))
    let found = try HostProgram.find(besides: try TestLab.program)
    #expect(HostProgram.isStatic(found))
    let error = #expect(throws: LabError.self) {
      try HostProgram.find(besides: "/nowhere/x/liburna")
    }
    #expect(error?.message.contains("swift build -c release --product liburna-host") == true)
  }

  @Test("services become units of systemd that say who, what and where to write")
  func units() throws {
    var plan = HostPlan(name: "node1", index: 1)
    plan.environment = ["LAB_NAME=a b", "ODD=100% \"$x\""]
    plan.prepare = ["echo one"]
    plan.boot = [.directory("/run/sshd")]
    let account = Account(name: "oar", uid: 7, gid: 8, home: "/var/lib/oar")
    plan.services = [
      PlannedService(
        name: "almighty", arguments: ["/usr/bin/a", "two words", "50%"], account: account,
        readiness: .none, isKept: true)
    ]
    let items = SystemdUnits.items(plan)
    let unit = try #require(items.first { $0.path == "/etc/systemd/system/lab-almighty.service" })
    for line in [
      "ExecStart=:\"/usr/bin/a\" \"two words\" \"50%%\"", "User=oar", "Restart=always",
      "StandardOutput=append:/var/log/liburna-lab/almighty.log",
      "Environment=\"LAB_NAME=a b\"", "Environment=\"ODD=100%% \\\"$x\\\"\"",
    ] {
      #expect(unit.content.contains(line + "\n"), "\(line) is missing")
    }
    let wanted = "/etc/systemd/system/multi-user.target.wants/lab-almighty.service"
    #expect(items.contains { $0.path == wanted && $0.kind == .link })
    #expect(items.contains { $0.path.hasSuffix("/lab-prepare.service") && $0.kind == .file })
    #expect(items.contains { $0.path.hasSuffix("/ssh.service") && $0.content == "/dev/null" })
    #expect(items.contains { $0.path.hasSuffix("/systemd-udevd.service") })
    let machine = SystemdUnits.items(plan, masksDevices: false)
    #expect(!machine.contains { $0.path.hasSuffix("/systemd-udevd.service") })
  }
}

@Suite("container engines")
struct EngineTests {
  private static func version(_ newest: String, _ oldest: String) -> JSONValue {
    .fields(["ApiVersion": .string(newest), "MinAPIVersion": .string(oldest)])
  }

  @Test(
    "a version is agreed on that both know",
    arguments: [
      ("1.41", "1.24", "1.41"), ("1.30", "1.12", "1.30"), ("1.52", "1.24", "1.41"),
      ("1.52", "1.44", "1.44"),
    ])
  func versions(newest: String, oldest: String, agreed: String) throws {
    #expect(try ContainerEngine.agree(on: Self.version(newest, oldest), .docker, "/s") == agreed)
  }

  @Test("an engine that is too old, or none at all, is refused with its socket")
  func oldEngine() {
    for answer in [Self.version("1.18", "1.12"), .null] {
      let error = #expect(throws: LabError.self) {
        try ContainerEngine.agree(on: answer, .docker, "/run/some.sock")
      }
      #expect(error?.message.contains("/run/some.sock") == true)
    }
  }

  @Test("names of images fall into name and tag")
  func names() {
    #expect(ContainerEngine.parts("debian") == ("debian", "latest"))
    #expect(ContainerEngine.parts("quay.io:5000/a/b") == ("quay.io:5000/a/b", "latest"))
    #expect(ContainerEngine.parts("quay.io:5000/a/b:2") == ("quay.io:5000/a/b", "2"))
    #expect(ContainerEngine.parts("a@sha256:12") == ("a", "sha256:12"))
  }

  @Test("what the engine is told is JSON, whatever the names hold")
  func json() throws {
    let value = JSONValue.fields(["a\"\n\u{1}": .strings(["ü\\"]), "none": nil, "b": .null])
    #expect(value.text == "{\"a\\\"\\n\\u0001\":[\"ü\\\\\"],\"b\":null}")
    #expect(try JSONReader.read(value.text) == value)
  }
}

extension LabSuite {
  /// They change the environment, so nothing else may run meanwhile.
  @Suite("engines that are not there")
  struct NoEngineTests {
    private static func failure(
      _ kind: BackendKind, _ variable: String, _ value: String,
      root: RootSource = .debian("bookworm")
    ) throws -> String? {
      setenv(variable, value, 1)
      defer { unsetenv(variable) }
      let test = try TestLab("no-engine")
      var composition = Composition.plain(nodes: 1)
      composition.root = root
      let error = #expect(throws: LabError.self) {
        try test.lab.start(
          LabSettings(composition, backend: kind), program: try TestLab.program, timeout: 5)
      }
      #expect(!Files.exists(test.place))
      return error?.message
    }

    @Test("a socket that is missing is told with its place, and how to start the engine")
    func missing() throws {
      let podman = try Self.failure(.podman, "CONTAINER_HOST", "unix:///nowhere/p.sock")
      #expect(podman?.contains("/nowhere/p.sock") == true)
      #expect(podman?.contains("podman.socket") == true)
      let docker = try Self.failure(.docker, "DOCKER_HOST", "unix:///nowhere/d.sock")
      #expect(docker?.contains("systemctl start docker") == true)
    }

    @Test("an engine of another machine, and a socket with nobody behind it, are refused")
    func unusable() throws {
      let remote = try Self.failure(.docker, "DOCKER_HOST", "tcp://127.0.0.1:2375")
      #expect(remote?.contains("tcp://127.0.0.1:2375") == true)
      let silent = try Self.failure(.docker, "DOCKER_HOST", "unix:///etc/hostname")
      #expect(silent?.contains("/etc/hostname") == true)
    }

    @Test("the machine's own root can't be an image, and what to write instead is said")
    func ownRoot() throws {
      let text = try Self.failure(.podman, "CONTAINER_HOST", "unix:///nowhere", root: .host)
      #expect(text?.contains("root: debian:bookworm") == true)
    }
  }
}
