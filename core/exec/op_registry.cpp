#include "core/exec/op_registry.h"

namespace core {

const OpRegistry &OpRegistry::instance()
{
    static const OpRegistry registry = [] {
        OpRegistry all;
        registerConvOps(all);
        registerLinearOps(all);
        registerPoolOps(all);
        registerNormOps(all);
        registerActivationOps(all);
        registerElementwiseOps(all);
        registerReduceOps(all);
        registerShapeOps(all);
        registerIndexOps(all);
        registerResizeOps(all);
        registerDetectionOps(all);
        registerRecurrentOps(all);
        registerQuantOps(all);
        registerCastOps(all);
        registerControlOps(all);
        return all;
    }();
    return registry;
}

void OpRegistry::add(const std::string &opType, KernelFactory factory, const std::string &domain)
{
    if (!m_factories.emplace(std::pair(domain, opType), std::move(factory)).second)
        throw Error(ErrorKind::Internal, "registry", "Operator " + (domain.empty() ? "" : domain + ".") + opType + " is registered twice.");
}

const KernelFactory *OpRegistry::find(const Node &node) const
{
    const auto found = m_factories.find({node.domain, node.opType});
    return found == m_factories.end() ? nullptr : &found->second;
}

std::vector<std::string> OpRegistry::supportedOps() const
{
    std::vector<std::string> names;
    for (const auto &[key, factory] : m_factories)
        names.push_back(key.first.empty() ? key.second : key.first + "." + key.second);
    return names;
}

} // namespace core
