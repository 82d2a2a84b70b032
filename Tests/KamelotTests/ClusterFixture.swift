// Small clusters for tests.

import ClusterModel
import Kamelot
import RequestLanguage

/// A cluster of hosts `h1`, `h2`, … with cpus and cores, all values unique in the cluster.
struct TestCluster {
  var hosts = 2
  var cpusPerHost = 2
  var coresPerCPU = 4

  /// The resources, numbered from 1 host by host.
  var resources: [Resource] {
    (0..<hosts * cpusPerHost * coresPerCPU).map { index in
      var resource = Resource(id: index + 1)
      let cpu = index / coresPerCPU
      resource.networkAddress = "h\(cpu / cpusPerHost + 1)"
      resource.properties["host"] = .text(resource.networkAddress)
      resource.properties["cpu"] = .integer(cpu + 1)
      resource.properties["core"] = .integer(index + 1)
      return resource
    }
  }

  var platform: Platform { Platform(resources: resources) }
}

/// The groups of a request as users write it.
func groups(_ text: String) throws -> [RequestGroup] {
  try ResourceRequestParser.parse(text, nodesProperty: "network_address").groups
}

extension Platform {
  /// The ids that a request takes of `free` (ids), as ranges; `nil` if they do not suffice.
  func picked(_ request: String, free: String, properties: String = "") throws -> String? {
    guard case .possible(let resolved) = resolve(try groups(request), properties: properties) else {
      return nil
    }
    let greatest = ids.max() ?? 0
    let freeIDs = ResourceSet(capacity: greatest + 1, ranges: free)
    let places = (freeIDs ?? ResourceSet(capacity: 0)).compactMap { place(of: $0) }
    let set = ResourceSet(capacity: resources.count, places)
    return resolved.pick(from: set).map { rangesText(of: ids(of: $0)) }
  }
}
