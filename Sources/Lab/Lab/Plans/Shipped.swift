// The compositions of the first days, until they are files.

import Compositions

extension Composition {
  /// A lab of server, frontend and nodes with nothing on them but what every host has.
  public static func plain(nodes: Int) -> Composition {
    var server = Role(name: "server", hosts: ["server"])
    server.controls = true
    var node = Role(name: "node", hosts: [])
    node.scales = true
    node.scale(to: nodes)
    return Composition(
      name: "plain", roles: [server, Role(name: "frontend", hosts: ["frontend"]), node])
  }

  /// The product's lab.
  public static func liburna(nodes: Int) -> Composition {
    var composition = plain(nodes: nodes)
    composition.name = "liburna"
    composition.software = .liburna
    composition.accounts.append(LabAccount(name: "oar", home: OarConfiguration.stateDirectory))
    composition.files = [HostFile(path: OarConfiguration.path, content: OarConfiguration.text)]
    composition.roles[0].prepare = ["install -d -o oar -g oar /run/liburna"]
    composition.roles[0].services = [
      Service(
        "liburnad", ["\(Product.directory)/liburnad"], user: "oar",
        ready: .socket(OarConfiguration.socket), restarts: true)
    ]
    composition.steps = [
      Step(
        "register the nodes", on: .first("server"), repetition: .hosts,
        script: """
          oarproperty -a cpu -a core 2>/dev/null || true
          oarproperty -c -a host 2>/dev/null || true
          core=0
          for node in $LAB_NODES; do
            for place in 0 1 2 3; do
              [ -e /var/lib/oar/$node ] || oarnodesetting -a -h $node -p host=$node \\
                -p cpu=$((core / 2)) -p core=$core -p cpuset=$((core % $(nproc)))
              core=$((core + 1))
            done
            touch /var/lib/oar/$node
          done
          """)
    ]
    return composition
  }
}
