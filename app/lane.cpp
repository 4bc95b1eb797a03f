#include "app/lane.h"

#include <QMetaObject>

namespace app {

Lane::Lane(QObject *parent) : QObject(parent)
{
    m_thread = std::jthread([this](std::stop_token quit) { work(quit); });
}

Lane::~Lane()
{
    m_thread.request_stop();
    {
        const std::lock_guard lock(m_mutex);
        m_waiting.clear();
        if (m_running)
            m_running->stop.request_stop();
    }
    m_changed.notify_all();
    m_thread.join();
}

void Lane::enqueue(Job made)
{
    auto job = std::make_shared<Job>(std::move(made));
    job->id = m_next++;
    const bool wasBusy = busy();
    {
        const std::lock_guard lock(m_mutex);
        for (auto it = m_waiting.begin(); it != m_waiting.end();)
            if ((*it)->kind == job->kind) {
                m_alive.erase((*it)->id);
                m_loud.erase((*it)->id);
                it = m_waiting.erase(it);
            } else {
                ++it;
            }
        if (m_running && m_running->kind == job->kind) {
            m_superseded.insert(m_running->id);
            m_running->stop.request_stop();
        }
        m_waiting.push_back(job);
    }
    m_alive.insert(job->id);
    if (!job->quiet)
        m_loud.insert(job->id);
    m_changed.notify_all();
    if (busy() != wasBusy)
        Q_EMIT busyChanged(busy());
}

void Lane::stop()
{
    std::deque<std::shared_ptr<Job>> dropped;
    {
        const std::lock_guard lock(m_mutex);
        dropped.swap(m_waiting);
        if (m_running)
            m_running->stop.request_stop();
    }
    const Failure cancelled{true, core::ErrorKind::Internal, {}, {}};
    for (const auto &job : dropped)
        deliver(job, nullptr, &cancelled);
}

void Lane::stop(const QString &kind)
{
    std::vector<std::shared_ptr<Job>> dropped;
    {
        const std::lock_guard lock(m_mutex);
        std::erase_if(m_waiting, [&](const std::shared_ptr<Job> &job) {
            if (job->kind == kind)
                dropped.push_back(job);
            return job->kind == kind;
        });
        if (m_running && m_running->kind == kind)
            m_running->stop.request_stop();
    }
    const Failure cancelled{true, core::ErrorKind::Internal, {}, {}};
    for (const auto &job : dropped)
        deliver(job, nullptr, &cancelled);
}

bool Lane::runs(const QString &kind) const
{
    const std::lock_guard lock(m_mutex);
    return (m_running && m_running->kind == kind) || std::any_of(m_waiting.begin(), m_waiting.end(), [&](const auto &job) { return job->kind == kind; });
}

void Lane::work(std::stop_token quit)
{
    while (true) {
        std::shared_ptr<Job> job;
        {
            std::unique_lock lock(m_mutex);
            if (!m_changed.wait(lock, quit, [this] { return !m_waiting.empty(); }))
                return;
            job = m_waiting.front();
            m_waiting.pop_front();
            m_running = job;
        }
        run(job);
    }
}

/// The place of the program, beside the command line, that catches.
void Lane::run(const std::shared_ptr<Job> &job)
{
    if (!job->quiet)
        QMetaObject::invokeMethod(this, [this, job] { Q_EMIT started(job->title); }, Qt::QueuedConnection);
    std::shared_ptr<const void> result;
    Failure failure;
    bool failed = true;
    try {
        core::Progress progress(
            [this, job](const core::ProgressReport &report) {
                if (!job->quiet)
                    QMetaObject::invokeMethod(this, [this, job, report] { Q_EMIT progressed(job->title, report); }, Qt::QueuedConnection);
            },
            job->stop.get_token());
        result = job->work(progress);
        failed = false;
    } catch (const core::Cancelled &) {
        failure.cancelled = true;
    } catch (const core::Error &error) {
        failure = {false, error.kind(), QString::fromStdString(error.operation()), QString::fromStdString(error.sentence())};
    } catch (const std::bad_alloc &) {
        failure = {false, core::ErrorKind::Internal, job->title, tr("There is not enough memory for this; close other programs, or use fewer images at a time.")};
    } catch (const std::exception &error) {
        failure = {false, core::ErrorKind::Internal, job->title, QString::fromUtf8(error.what())};
    }
    {
        const std::lock_guard lock(m_mutex);
        m_running.reset();
    }
    QMetaObject::invokeMethod(
        this, [this, job, result = std::move(result), failure, failed] { deliver(job, result, failed ? &failure : nullptr); }, Qt::QueuedConnection);
}

void Lane::deliver(const std::shared_ptr<Job> &job, const std::shared_ptr<const void> &result, const Failure *failure)
{
    const bool wasBusy = busy(), wanted = m_alive.erase(job->id) > 0 && m_superseded.erase(job->id) == 0;
    m_loud.erase(job->id);
    if (wanted && !failure) {
        job->done(result);
    } else if (wanted) {
        if (job->failed)
            job->failed(*failure);
        if (!job->quiet)
            Q_EMIT failed(job->title, *failure);
    }
    if (wanted && !job->quiet)
        Q_EMIT finished(job->title);
    if (busy() != wasBusy)
        Q_EMIT busyChanged(busy());
}

} // namespace app
