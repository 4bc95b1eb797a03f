// A thread beside the window: jobs run on it one after the other, results come back on the window's thread. The program has two: the heavy lane runs
// the engine, the light lane pure functions of core_model, so that neither waits for the other.
#pragma once

#include "core/base/error.h"
#include "core/base/progress.h"

#include <QObject>
#include <QString>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace app {

/// How a job ended that gave no result.
struct Failure {
    bool cancelled = false;
    core::ErrorKind kind = core::ErrorKind::Internal;
    QString operation, sentence;
};

class Lane : public QObject {
    Q_OBJECT
public:
    explicit Lane(QObject *parent = nullptr);
    /// Requests stop and waits.
    ~Lane() override;

    /// Work gets copies and shared constant values only. `done` and `failed` are called on this object's thread. A job of the same kind that waits
    /// or runs is superseded: it is stopped, and what it still returns is dropped. A quiet job shows no progress and no failure of its own.
    template <class Result>
    void start(const QString &kind, const QString &title, std::function<std::shared_ptr<const Result>(core::Progress &)> work,
               std::function<void(std::shared_ptr<const Result>)> done, std::function<void(const Failure &)> failed = {}, bool quiet = false)
    {
        enqueue({0, kind, title, std::move(work),
                 [done = std::move(done)](const std::shared_ptr<const void> &result) { done(std::static_pointer_cast<const Result>(result)); },
                 std::move(failed), quiet, {}});
    }

    /// Of the running job and all that wait; they end as cancelled.
    void stop();
    void stop(const QString &kind);
    /// A job that is not quiet runs or waits.
    bool busy() const { return !m_loud.empty(); }
    bool runs(const QString &kind) const;

Q_SIGNALS:
    void started(const QString &title);
    void progressed(const QString &title, const core::ProgressReport &report);
    void failed(const QString &title, const app::Failure &failure);
    void finished(const QString &title);
    void busyChanged(bool busy);

private:
    struct Job {
        quint64 id = 0;
        QString kind, title;
        std::function<std::shared_ptr<const void>(core::Progress &)> work;
        std::function<void(const std::shared_ptr<const void> &)> done;
        std::function<void(const Failure &)> failed;
        bool quiet = false;
        std::stop_source stop;
    };

    void enqueue(Job job);
    void work(std::stop_token quit);
    void run(const std::shared_ptr<Job> &job);
    void deliver(const std::shared_ptr<Job> &job, const std::shared_ptr<const void> &result, const Failure *failure);

    mutable std::mutex m_mutex;
    std::condition_variable_any m_changed;
    std::deque<std::shared_ptr<Job>> m_waiting;
    std::shared_ptr<Job> m_running;             ///< both under m_mutex
    std::set<quint64> m_alive, m_loud;          ///< ids whose results are wanted; window's thread only
    std::set<quint64> m_superseded;
    quint64 m_next = 1;
    std::jthread m_thread;
};

} // namespace app
