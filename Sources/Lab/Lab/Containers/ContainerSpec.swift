// What an engine is told about the container of a host: a pure function of the plan.

import Compositions
import Encoding

struct ContainerSpec {
  let plan: HostPlan
  let paths: LabPaths
  /// The lab's group, which names its network and is its label.
  let group: String
  let kind: BackendKind
  /// The static program on this machine.
  let program: String

  /// The name of a host's container.
  static func name(_ group: String, _ host: String) -> String { group + "-" + host }

  /// What a host may do beyond an ordinary container: mount, so that its cgroups are writable and jobs
  /// can be confined; and ping.
  static let capabilities = ["SYS_ADMIN", "NET_RAW"]
  /// Profiles of the machine that would forbid the mounts.
  static let security = ["seccomp=unconfined", "apparmor=unconfined", "label=disable"]

  /// The body of the request that makes the container, with a digest of itself among its labels.
  var value: JSONValue {
    let digest = Fingerprint.long(body(labels: []).text)
    return body(labels: [
      JSONMember(ContainerEngine.label, .string(group)),
      JSONMember(ContainerEngine.specLabel, .string(digest)),
    ])
  }

  var digest: String { value["Labels"]?[ContainerEngine.specLabel]?.string ?? "" }

  private func body(labels: [JSONMember]) -> JSONValue {
    .fields([
      "Image": .string(plan.image.first ?? ""), "Hostname": .string(plan.name),
      "User": .string("0:0"), "WorkingDir": .string("/"), "Tty": .bool(false),
      "Entrypoint": .strings([GuestPaths.program]),
      "Cmd": .strings(["init", "--listen", GuestPaths.lineSocket]),
      "Env": .strings(RunningServices.environment + ["container=\(kind.rawValue)"]),
      "StopTimeout": .number("0"), "Labels": .object(labels), "HostConfig": hostConfiguration,
      "NetworkingConfig": .fields([
        "EndpointsConfig": .fields([
          group: ContainerEngine.endpoint(plan.address)
        ])
      ]),
    ])
  }

  private var hostConfiguration: JSONValue {
    .fields([
      "NetworkMode": .string(group), "CapAdd": .strings(Self.capabilities),
      "SecurityOpt": .strings(Self.security), "CgroupnsMode": .string("private"),
      "Init": .bool(false), "RestartPolicy": .fields(["Name": .string("no")]),
      "Tmpfs": .fields([
        "/run": .string("rw,exec,mode=755"), "/tmp": .string("rw,exec,mode=1777"),
      ]),
      "Mounts": .array(mounts),
    ])
  }

  private var mounts: [JSONValue] {
    var mounts = [
      mount(program, at: GuestPaths.program, readOnly: true),
      mount(paths.logs(plan.name), at: GuestPaths.logs),
      mount(paths.line(plan.name), at: GuestPaths.lineDirectory),
      mount(paths.hostsFile, at: GuestPaths.hosts),
    ]
    mounts += plan.shared.map { mount(paths.shared($0), at: $0) }
    for (number, volume) in plan.volumes.enumerated() {
      guard volume.mode == .cow else {
        mounts.append(mount(volume.source, at: volume.target, readOnly: volume.mode == .ro))
        continue
      }
      let place = GuestPaths.volume(number)
      mounts.append(mount(volume.source, at: place + "/lower", readOnly: true))
      mounts.append(mount(Self.ownPart(paths, plan, number), at: place + "/own"))
    }
    return mounts
  }

  private func mount(_ source: String, at target: String, readOnly: Bool = false) -> JSONValue {
    .fields([
      "Type": .string("bind"), "Source": .string(source), "Target": .string(target),
      "ReadOnly": .bool(readOnly),
    ])
  }

  /// Where the machine has what a host changes in a volume of which it writes a copy.
  static func ownPart(_ paths: LabPaths, _ plan: HostPlan, _ number: Int) -> String {
    paths.disk(plan.name) + "/volume\(number)"
  }

  // MARK: - Orders

  /// What the first process of the container is told.
  var orders: HostOrders {
    var orders = HostOrders(plan)
    orders.opensCgroups = true
    // The engine puts files of its own there at every start.
    orders.always = plan.disk.filter { ["/etc/hostname", "/etc/resolv.conf"].contains($0.path) }
    orders.overlays = plan.volumes.enumerated().filter { $0.element.mode == .cow }
      .map { number, volume in
        let place = GuestPaths.volume(number)
        return GuestOverlay(
          lower: place + "/lower", upper: place + "/own/upper", work: place + "/own/work",
          target: volume.target)
      }
    return orders
  }
}

extension JSONValue {
  static func strings(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
}
